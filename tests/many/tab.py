"""A connection that keeps what it is told, and what a turn looks like from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.sync.client import ClientConnection

from tests.peers import Peer

Event = dict[str, Any]
Guard = tuple[str, str, str]


class Tab(Peer):
    """A user's connection to one site; `events` are the params of every notification so far."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__(socket)
        self.events: list[Event] = []

    def next(self) -> dict[str, Any]:
        frame = super().next()
        if frame.get("method") == "session.event":
            self.events.append(frame["params"])
        return frame

    def result(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a request, which must not be refused."""
        return self.result_of(self.send(method, **params))

    def result_of(self, request_id: int) -> dict[str, Any]:
        """The result of a request that was sent."""
        answer = self.answer(request_id)
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def event(self, wanted: Callable[[Event], bool]) -> Event:
        """The first event that is wanted, past or to come."""
        for event in self.events:
            if wanted(event):
                return event
        while True:
            frame = self.next()
            if frame.get("method") == "session.event" and wanted(frame["params"]):
                return self.events[-1]

    def new_session(self) -> str:
        """A new session, open here."""
        session_id: str = self.result("session.create")["session"]["id"]
        self.open(session_id)
        return session_id

    def open(self, session_id: str) -> dict[str, Any]:
        return self.result("session.open", session_id=session_id)

    def ask(self, session_id: str, text: str = "hello") -> str:
        """A turn is asked for; its run."""
        run_id: str = self.result("turn.start", session_id=session_id, text=text)["run_id"]
        return run_id

    def end_of(self, run_id: str) -> Event:
        """The event that ends a run."""
        return self.event(
            lambda event: event["run_id"] == run_id and event["event"]["type"] in ("RUN_FINISHED", "RUN_ERROR")
        )

    def turn(self, session_id: str, text: str = "hello") -> Guard:
        """A whole turn, which must end well: what its guard decided."""
        run_id = self.ask(session_id, text)
        ended = self.end_of(run_id)["event"]
        assert ended["type"] == "RUN_FINISHED", ended
        return self.guard_of(run_id)

    def guard_of(self, run_id: str) -> Guard:
        """What the guard decided, as RUN_STARTED tells it."""
        started = self.event(lambda event: event["run_id"] == run_id and event["event"]["type"] == "RUN_STARTED")
        guard = started["event"]["metadata"]["guard"]
        return guard["agent"], guard["transcript"], guard["reason"]

    def said(self, run_id: str) -> str:
        """What a run's text deltas said so far."""
        deltas = (event["event"].get("delta", "") for event in self.events if event["run_id"] == run_id)
        return "".join(deltas)
