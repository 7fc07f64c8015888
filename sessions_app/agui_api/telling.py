"""A run's events on their way to one client: by the client's own names of thread and run, in AG-UI's order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from uuid import UUID

from ag_ui.core import PROTOCOL_VERSION

from sessions_app.agui_api.grammar import LAST, Event, Grammar
from sessions_app.agui_api.reading import RunRequest
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.http_api.exchange import Exchange


class Telling:
    """The stream that answers one request. Lives as long as that; ``session_id`` is known once its run is."""

    def __init__(self, exchange: Exchange, request: RunRequest) -> None:
        self.session_id: UUID | None = None
        self._exchange = exchange
        self._ids = {"threadId": request.asked.thread, "runId": request.asked.run}
        self._is_current = request.is_current
        self._grammar = Grammar()
        self._has_begun = False

    def must_be_told(self, event: Event) -> bool:
        """Tell whether what is stored is to be told before an event, because events were missed."""
        grammar = self._grammar
        if event["type"] in LAST:
            return not grammar.is_whole
        return grammar.lacks_result and event["type"] != "TOOL_CALL_RESULT"

    def miss(self) -> None:
        """Take note that the client may have missed something."""
        self._grammar.is_whole = False

    async def put(self, event: Event) -> None:
        """Tell an event of the run."""
        if event["type"] == "RUN_STARTED":
            await self.begin(event)
            return
        await self.begin()
        await self._send_all(self._grammar.put(event))

    async def begin(self, event: Event | None = None) -> None:
        """Tell that the run has begun, once; ``event`` says so, where it is known."""
        if not self._has_begun:
            self._has_begun = True
            version = {"protocolVersion": PROTOCOL_VERSION} if self._is_current else {}
            await self._send_all([{"type": "RUN_STARTED", **(event or {}), **version}])

    async def catch_up(self, running: RunShape) -> None:
        """Tell what an answer under way says so far."""
        if running.text:
            message = {"messageId": str(running.message_id), "delta": running.text, "metadata": {"offset": 0}}
            await self.put({"type": "TEXT_MESSAGE_CONTENT", **message})

    async def tell_stored(self, event: Event, stored: bytes) -> None:
        """Tell what is stored, before an event."""
        await self.begin()
        if event["type"] in LAST:
            await self._send_all(self._grammar.close())
        self._grammar.lacks_result = False
        await self.send(stored)

    async def fail(self, message: str, code: str | None) -> None:
        """Tell that the run is not told any further, and why."""
        await self.put({"type": "RUN_ERROR", "message": message, "code": code or "internal"})

    async def send(self, piece: bytes) -> None:
        """Send what is encoded already."""
        headers = {"X-Session-Id": str(self.session_id)} if self.session_id else {}
        await self._exchange.stream(piece, headers)

    async def _send_all(self, events: Iterable[Event]) -> None:
        pieces = [_encoded(self._named(event)) for event in events]
        if pieces:
            await self.send(b"".join(pieces))

    def _named(self, event: Event) -> Event:
        """Return an event as the client is to have it: by its own names, and without what it cannot know."""
        if event["type"] not in ("RUN_STARTED", "RUN_FINISHED"):
            return event
        named = {**event, **self._ids}
        if not self._is_current and (named.get("outcome") or {}).get("type") == "cancelled":
            del named["outcome"]
        return named


def _encoded(event: Event) -> bytes:
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"
