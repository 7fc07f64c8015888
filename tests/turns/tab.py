"""Clients that open a session, and what holds them while they do."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from uuid import UUID

import pytest

from sessions_app.conversations.run_schemas import RunShape
from sessions_app.turn_store import opening
from tests.turns.host import Event, Host, Listener


class Tab:
    """A client that opens a session once and rebuilds what is said from the result and the events."""

    def __init__(self, user_id: int) -> None:
        self.listener = Listener(user_id)
        self.result: dict[str, Any] = {}

    async def open(self, host: Host, session_id: UUID) -> None:
        host.runner.connect(self.listener.subscription)
        self.result = await host.open(session_id, self.listener)

    def answers(self, run_id: UUID, stored: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Every answer of the run that the tab knows of, as (message id, text), in order."""
        known = [(str(m.id), m.text) for m in self.result["messages"] if m.role == "assistant"]
        texts: dict[str, str] = dict(known)
        run: RunShape | None = self.result["run"]
        if run is not None and run.text:
            texts[str(run.message_id)] = run.text
        for event in self.events(run_id):
            if event["event"]["type"] == "TEXT_MESSAGE_CONTENT":
                message_id, delta = event["event"]["messageId"], event["event"]["delta"]
                assert event["event"]["metadata"]["offset"] == len(texts.get(message_id, ""))
                texts[message_id] = texts.get(message_id, "") + delta
        return [(message_id, texts[message_id]) for message_id, _ in stored if message_id in texts]

    def events(self, run_id: UUID) -> list[Event]:
        """The run's events since the opening; their numbers go on where the result left off."""
        events = self.listener.run(run_id)
        run: RunShape | None = self.result["run"]
        first = run.seq + 1 if run is not None else 1
        assert [event["seq"] for event in events] == list(range(first, first + len(events)))
        return events


class SlowSnapshot:
    """Holds whoever opens a session: the snapshot was `read`, and is answered (or, as told, fails) after `go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, fails: bool = False) -> None:
        self._loop = asyncio.get_running_loop()
        self._read_snapshot = opening.read_snapshot
        self._fails = fails
        self.read = asyncio.Event()
        self.go = threading.Event()
        monkeypatch.setattr(opening, "read_snapshot", self)

    def __call__(self, *args: Any) -> opening.Snapshot:
        snapshot = self._read_snapshot(*args)
        self._loop.call_soon_threadsafe(self.read.set)
        assert self.go.wait(20)
        if self._fails:
            raise ZeroDivisionError
        return snapshot
