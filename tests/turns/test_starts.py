"""Behind its first words an answer gives way to turns that were asked for before them, once, and for a moment."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from sessions_app.models import MessageRole
from sessions_app.turn_store import asking
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turns import starts
from sessions_app.turns.starts import Starts
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NEVER, NewSession
from tests.turns.host import PATIENCE, Host, said, stands_at, within


async def rounds() -> None:
    """As many rounds of the loop as anything that is ready can take."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gives way does so without end."""
    monkeypatch.setattr(starts, "LONGEST_WAIT_SECONDS", NEVER)


async def test_without_a_start_nobody_waits() -> None:
    async with asyncio.timeout(0):
        await Starts().give_way()


async def test_an_answer_waits_for_the_starts_that_came_before_its_words(patient: None) -> None:
    under_way = Starts()
    with under_way.under_way():
        waiting = asyncio.create_task(under_way.give_way())
        await rounds()
        assert not waiting.done()
    await within(waiting)


async def test_a_start_that_comes_later_is_not_waited_for(patient: None) -> None:
    under_way = Starts()
    with under_way.under_way():
        waiting = asyncio.create_task(under_way.give_way())
        await rounds()
        later = under_way.under_way()
        later.__enter__()
    await within(waiting)
    later.__exit__(None, None, None)


async def test_a_start_that_fails_has_ended(patient: None) -> None:
    under_way = Starts()
    with suppress(KeyError), under_way.under_way():
        waiting = asyncio.create_task(under_way.give_way())
        await rounds()
        raise KeyError
    await within(waiting)


async def test_a_start_without_end_is_waited_for_no_longer_than_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "LONGEST_WAIT_SECONDS", 0)
    under_way = Starts()
    with under_way.under_way():
        await within(under_way.give_way())


class HeldStart:
    """A transaction that begins a turn, held open by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._go, self._ask = threading.Event(), asking.ask
        self._loop, self._reached = asyncio.get_running_loop(), asyncio.Event()
        monkeypatch.setattr(asking, "ask", self._hold)

    def _hold(self, *args: Any, **kwargs: Any) -> Any:
        self._loop.call_soon_threadsafe(self._reached.set)
        assert self._go.wait(PATIENCE)
        return self._ask(*args, **kwargs)

    async def reached(self) -> None:
        await within(self._reached.wait())

    def go(self) -> None:
        self._go.set()


async def spoken_amid_a_start(
    host: Host, gate: Gate, monkeypatch: pytest.MonkeyPatch, chat: UUID, other: UUID
) -> tuple[AcceptedTurn, HeldStart, asyncio.Task[AcceptedTurn]]:
    """Begin an answer in a chat, and a start in another that is held; return once the first word is here."""
    first = await host.ask(chat)
    await stands_at(gate)
    held = HeldStart(monkeypatch)
    asking_second = asyncio.create_task(host.ask(other))
    await held.reached()
    gate.open()
    await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    return first, held, asking_second


@pytest.mark.one_database
async def test_the_rest_of_an_answer_comes_behind_a_start_and_whole(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two ", "three."], gates={0: gate}), Answer(["Hi."]))
    chat, other = await session(), await session()
    first, held, asking_second = await spoken_amid_a_start(host, gate, monkeypatch, chat, other)
    await rounds()
    assert host.listener.text(first.run_id) == "One "
    held.go()
    second = await within(asking_second)
    for run in (first, second):
        await host.listener.end_of(run.run_id)
    events = host.listener.events
    [_, rest, *_] = [event for event in host.listener.run(first.run_id) if "delta" in event["event"]]
    began = next(
        event for event in events if event["event"].get("name") == "turn.began" and event["run_id"] != str(first.run_id)
    )
    assert events.index(began) < events.index(rest)
    assert host.listener.text(first.run_id) == "One two three."
    assert [text for role, text, _ in await said(chat) if role == MessageRole.ASSISTANT] == ["One two three."]


@pytest.mark.one_database
async def test_an_answer_that_gives_way_can_be_stopped(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two."], gates={0: gate}), Answer(["Hi."]))
    chat, other = await session(), await session()
    first, held, asking_second = await spoken_amid_a_start(host, gate, monkeypatch, chat, other)
    [run] = [run for run in host.runner.runs if run.turn.run_id == first.run_id]
    run.stop("stopped")
    held.go()
    await host.listener.end_of(first.run_id)
    await host.listener.end_of((await within(asking_second)).run_id)
    assert (await said(chat))[-1] == ("assistant", "One ", "stopped")
