"""The re-baseline after a turn: over our own rows and nothing else, and what others wrote meanwhile is told at once."""

from __future__ import annotations

import pytest

from sessions_app.journal import foreign
from tests.guard.test_seed import external
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, guard_of, stands_at, within
from tests.turns.slow import SlowWrite

CHANGED = "transcript.changed"


@pytest.fixture
async def quiet_host(host: Host) -> Host:
    """A process that does nothing by the clock: what it tells, it tells by itself."""
    await host.runner.supervisor.stop()
    return host


async def test_a_write_during_the_answer_is_told_when_it_ends(
    quiet_host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    asked = await quiet_host.ask(chat)
    await stands_at(gate)
    await external(chat)
    assert CHANGED not in quiet_host.listener.facts()
    gate.open()
    await quiet_host.listener.end_of(asked.run_id)
    told = await quiet_host.listener.fact(CHANGED)
    assert told["session_id"] == str(chat)
    assert guard_of(await quiet_host.turn(chat))[1] == "read"


async def test_a_write_before_the_turn_is_told_and_not_our_own(
    quiet_host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await quiet_host.turn(chat)
    await external(chat)
    await quiet_host.turn(chat)
    await quiet_host.listener.fact(CHANGED)
    await quiet_host.turn(chat)
    assert quiet_host.listener.facts().count(CHANGED) == 1


async def test_our_own_turns_tell_no_change(quiet_host: Host, session: NewSession) -> None:
    one, other = await session(), await session()
    for chat in (one, other, one, other, one):
        await quiet_host.turn(chat)
    for run in quiet_host.runner.runs:
        await run.ended.wait()
    assert CHANGED not in quiet_host.listener.facts()


async def test_neither_the_end_nor_the_next_word_waits_for_it(
    quiet_host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    slow = SlowWrite(monkeypatch, foreign, "is_behind")
    asked = await quiet_host.ask(chat)
    await quiet_host.listener.end_of(asked.run_id)
    await within(slow.begun.wait())
    following = await quiet_host.ask(chat, "and then?")
    await quiet_host.listener.until(
        lambda event: event["run_id"] == str(following.run_id) and event["event"]["type"] == "TEXT_MESSAGE_CONTENT"
    )
    slow.go.set()
    await quiet_host.listener.end_of(following.run_id)
