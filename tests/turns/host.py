"""What stands around a runner in its tests: hosts (a process each, over one real database) and who listens to them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import pytest

from sessions_app import database, journal
from sessions_app.database import hops
from sessions_app.llm.providers import ProviderSettings
from sessions_app.llm.tools.sources import Search
from sessions_app.models import Turn
from sessions_app.realtime.bus import Layer
from sessions_app.realtime.subscriptions import Subscription
from sessions_app.session_store import chats
from sessions_app.turn_store.beginning import load
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turns.pool import AgentPool, search_chats
from sessions_app.turns.run import Run
from sessions_app.turns.runner import Runner
from tests.providers.script import Gate

R = TypeVar("R")

# Seconds: only ever spent by a test that fails.
PATIENCE = 120.0
LEASE = 15.0

Event = dict[str, Any]


async def within(awaitable: Awaitable[R]) -> R:
    """Await something that is sure to happen."""
    return await asyncio.wait_for(awaitable, PATIENCE)


async def stands_at(gate: Gate) -> None:
    """Return once the provider stands at the gate."""
    await within(gate.reached())


class Listener:
    """A connection of a user: keeps every event (its params) and wakes who waits for one."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.subscription = Subscription(user_id, self._take)
        self.events: list[Event] = []
        self._waiting: list[tuple[Callable[[Event], bool], asyncio.Future[Event]]] = []

    def _take(self, frame: str) -> None:
        event: Event = json.loads(frame)["params"]
        self.events.append(event)
        for wanted, future in self._waiting:
            if wanted(event) and not future.done():
                future.set_result(event)

    async def until(self, wanted: Callable[[Event], bool]) -> Event:
        """The first event that is wanted, past or to come."""
        for event in self.events:
            if wanted(event):
                return event
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        try:
            return await within(future)
        except TimeoutError:
            raise AssertionError(f"it did not come; these did: {self.events}") from None

    async def end_of(self, run_id: UUID) -> Event:
        """The event that ends a run."""
        return await self.until(
            lambda event: event["run_id"] == str(run_id) and event["event"]["type"] in ("RUN_FINISHED", "RUN_ERROR")
        )

    async def fact(self, name: str) -> Any:
        """The value of the first of the project's own facts of this name."""
        return (await self.until(lambda event: event["event"].get("name") == name))["event"]["value"]

    def facts(self) -> list[str]:
        """The names of the project's own facts so far."""
        return [event["event"]["name"] for event in self.events if event["event"]["type"] == "CUSTOM"]

    def run(self, run_id: UUID) -> list[Event]:
        """The events of a run so far."""
        return [event for event in self.events if event["run_id"] == str(run_id)]

    def text(self, run_id: UUID) -> str:
        """What a run's text deltas said so far."""
        return text_of(self.run(run_id))


def text_of(events: list[Event]) -> str:
    return "".join(event["event"]["delta"] for event in events if event["event"]["type"] == "TEXT_MESSAGE_CONTENT")


def types(events: list[Event]) -> list[str]:
    """The kinds of events, each run of equal ones once."""
    kinds = [event["event"]["type"] for event in events]
    return [kind for index, kind in enumerate(kinds) if index == 0 or kinds[index - 1] != kind]


@dataclass
class Host:
    """A process: a runner with its own cache. `listener` has opened what `open` was called for."""

    runner: Runner
    listener: Listener
    opened: set[UUID] = field(default_factory=set)

    @classmethod
    async def start(
        cls,
        user_id: int,
        *,
        silence: float = PATIENCE,
        max_answer: int = 1_000_000,
        retries: int = 0,
        lease: float = LEASE,
        search: Search = search_chats,
        layer: Layer | None = None,
        title_model: str = "",
        warm_budget: Decimal = Decimal(0),
    ) -> Host:
        settings = ProviderSettings(timeout=silence, max_answer=max_answer, retries=retries, demo_pause=0)
        pool = AgentPool(settings, search, tool_timeout=30)
        runner = Runner(pool, lease=lease, layer=layer, title_model=title_model, warm_budget=warm_budget)
        host = cls(runner, Listener(user_id))
        host.runner.connect(host.listener.subscription)
        await host.runner.start()
        await within(host.runner.delivery.ready(user_id))
        return host

    def of(self, user_id: int) -> Host:
        """The same process, as another user's client sees it."""
        host = Host(self.runner, Listener(user_id))
        self.runner.connect(host.listener.subscription)
        return host

    @property
    def user_id(self) -> int:
        return self.listener.user_id

    async def open(self, session_id: UUID, listener: Listener | None = None, limit: int = 50) -> dict[str, Any]:
        """Open a session and return the result of session.open."""
        subscription = (listener or self.listener).subscription
        command = subscription.begin_command()
        try:
            return await self.runner.service.open_session(session_id, subscription, limit)
        finally:
            subscription.end_command(command)

    async def show(self, session_id: UUID) -> None:
        """Have a session open."""
        if session_id not in self.opened:
            await self.open(session_id)
            self.opened.add(session_id)

    async def ask(
        self, session_id: UUID, text: str = "hello", message_id: UUID | None = None, files: Sequence[UUID] = ()
    ) -> AcceptedTurn:
        """Ask for a turn; the session is opened before, once."""
        await self.show(session_id)
        return await within(self.runner.service.start_turn(self.user_id, session_id, text, message_id, files=files))

    async def turn(self, session_id: UUID, text: str = "hello", files: Sequence[UUID] = ()) -> Turn:
        """A whole turn; returns it as stored, when the agent is idle again."""
        asked = await self.ask(session_id, text, files=files)
        await self.listener.end_of(asked.run_id)
        return await stored_turn(asked.run_id)

    async def stop(self, session_id: UUID, run_id: UUID | None = None) -> bool:
        return await within(self.runner.service.stop_turn(self.user_id, session_id, run_id))


async def worked(host: Host) -> None:
    """Return once nothing of a turn is under way: the agent has taken in what was stored, and is free."""
    while work := host.runner.launcher.work:
        await within(asyncio.wait(work))


async def idle(host: Host) -> None:
    """Return once nothing of a turn is under way, and the user was told all."""
    await worked(host)
    newest = await database.read(journal.head, host.user_id)
    await host.listener.until(lambda event: event.get("cursor") == newest)


async def be_quiet(host: Host) -> None:
    """Stop what a process does by the clock, all of it, and return once no database thread is at work any more."""
    runner = host.runner
    await asyncio.gather(runner.supervisor.stop(), runner.jobs.stop(), runner.purge.stop())
    for kind in ("read", "write", *hops._SINGLE):
        threads = hops._threads(kind)
        together = threading.Barrier(threads.size)
        stops = [asyncio.wrap_future(threads.submit(None, together.wait)) for _ in range(threads.size)]
        await within(asyncio.gather(*stops))


async def new_session(user_id: int, title: str = "") -> UUID:
    return (await database.write(chats.create, user_id, title)).id


async def stored_turn(run_id: UUID) -> Turn:
    return await database.read(lambda: Turn.objects.get(run_id=run_id))


async def said(session_id: UUID) -> list[tuple[str, str, str]]:
    """Role, text and status of the stored messages, in order."""

    rows, _ = await database.read(load, session_id)
    return [(row.role, row.text, row.status) for row in rows]


def guard_of(turn: Turn) -> tuple[str, str, str]:
    """What the guard decided, as stored with the turn."""
    return (turn.guard_agent, turn.guard_transcript, turn.guard_reason)


async def give_up(host: Host, session_id: UUID, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A turn of which its owner cannot store the end, so that it is left to recovery."""

    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Run, "store", broken)
    asked = await host.ask(session_id)
    run = host.runner.registry.get(session_id)
    if run is not None:
        await within(run.ended.wait())
    return asked.run_id
