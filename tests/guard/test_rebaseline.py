"""The re-baseline after a turn: over our own rows and nothing else, and what others wrote meanwhile is told at once."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser

from sessions_app.database import shared_thread
from tests.guard.by_hand import turn_by_hand
from tests.guard.test_seed import external, live
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewSession
from tests.turns.host import Event, Host, guard_of, new_session, stands_at, worked
from tests.turns.slow import StuckThread

CHANGED = "transcript.changed"


@pytest.fixture
def outsider(transactional_db: None) -> AbstractUser:
    """Somebody else, who chats in the same process."""
    return get_user_model().objects.create_user("outsider")


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


async def test_a_write_between_the_end_and_the_rebaseline_is_told_at_once(
    quiet_host: Host, session: NewSession
) -> None:
    chat = await session()
    await quiet_host.show(chat)
    async with turn_by_hand(quiet_host, chat) as turn:
        await turn.memory.obtain()
        ended = await turn.end()
        ours = await live(chat)
        await external(chat)
        assert CHANGED not in quiet_host.listener.facts()
        baseline = await turn.rebaseline(ended)
        assert baseline is not None
        assert baseline.stamp == ours != await live(chat)
        told = await quiet_host.listener.fact(CHANGED)
        assert told == {"session_id": str(chat), "revision": (await live(chat)).revision}
    assert guard_of(await quiet_host.turn(chat)) == ("reused", "read", "grew by 1 elsewhere")
    assert quiet_host.listener.facts().count(CHANGED) == 1


async def test_a_write_before_the_end_leaves_the_baseline_behind(quiet_host: Host, session: NewSession) -> None:
    chat = await session()
    async with turn_by_hand(quiet_host, chat) as turn:
        await turn.memory.obtain()
        seen = turn.lease.baseline()
        await external(chat)
        assert await turn.rebaseline(await turn.end()) == seen
    assert guard_of(await quiet_host.turn(chat))[:2] == ("reused", "read")


async def test_neither_the_end_nor_the_next_word_waits_for_it(
    quiet_host: Host, session: NewSession, stuck_thread: StuckThread
) -> None:
    chat = await session()
    first = await quiet_host.ask(chat)
    await quiet_host.listener.end_of(first.run_id)
    second = await quiet_host.ask(chat, "and then?")
    await quiet_host.listener.until(said_by(second.run_id))
    await quiet_host.listener.end_of(second.run_id)
    assert guard_of(await quiet_host.turn(chat)) == ("reused", "kept", "same stamp")
    assert quiet_host.runner.launcher.work
    await stuck_thread.go()
    await worked(quiet_host)


async def test_nobody_elses_turn_waits_for_a_stuck_one(
    quiet_host: Host, session: NewSession, stuck_thread: StuckThread, outsider: AbstractUser
) -> None:
    await quiet_host.turn(await session())
    other = quiet_host.of(outsider.pk)
    asked = await other.ask(await new_session(outsider.pk))
    await other.listener.until(said_by(asked.run_id))
    await other.listener.end_of(asked.run_id)
    assert len(quiet_host.runner.launcher.work) == 2


async def test_a_stuck_one_is_given_up_and_the_turn_leaves(
    quiet_host: Host,
    session: NewSession,
    stuck_thread: StuckThread,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(shared_thread, "READ_SECONDS", 0.01)
    chat = await session()
    await quiet_host.turn(chat)
    await worked(quiet_host)
    assert f"session {chat} could not be read after its turn: TimeoutError" in caplog.text
    assert guard_of(await quiet_host.turn(chat)) == ("reused", "kept", "same stamp")


def said_by(run_id: UUID) -> Callable[[Event], bool]:
    """The first words of a run."""
    return lambda event: event["run_id"] == str(run_id) and event["event"]["type"] == "TEXT_MESSAGE_CONTENT"
