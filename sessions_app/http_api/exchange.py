"""One HTTP request, and the way to answer it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sessions_app.api.revocation import Doorkeeper
from sessions_app.http_api.breaking_off import BROKEN_OFF
from sessions_app.http_api.errors import ApiError
from sessions_app.turns.runner import Runner

_JSON = {"Content-Type": "application/json"}
_EVENTS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    # nginx would collect what is streamed.
    "X-Accel-Buffering": "no",
}


@dataclass(slots=True)
class Exchange:
    """A request and its answer; ``started`` once that has begun. ``headers`` are those of every answer.

    ``is_download``: a file is streamed, not events.
    """

    scope: Mapping[str, Any]
    receive: Callable[[], Awaitable[dict[str, Any]]]
    send: Callable[[dict[str, Any]], Awaitable[None]]
    runner: Runner
    doorkeeper: Doorkeeper
    headers: Mapping[str, str]
    started: bool = False
    is_download: bool = False
    fields: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.fields = {name.decode("latin1"): value.decode("latin1") for name, value in self.scope["headers"]}

    def check_json(self) -> None:
        """Make sure that the body, which the server has bounded, is sent as JSON. Raises ApiError."""
        kind = self.fields.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or "content-encoding" in self.fields:
            raise ApiError(415, "Send Content-Type: application/json, and no Content-Encoding.")

    async def gone(self) -> None:
        """Return when the client has closed the connection. The body was read before."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def answer(self, body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer with JSON."""
        length = {"Content-Length": str(len(body))}
        await self._start(status, {**_JSON, **length, **(headers or {})})
        await self.send({"type": "http.response.body", "body": body})

    async def stream(self, piece: bytes, headers: Mapping[str, str], *, status: int = 200) -> None:
        """Send a piece of an answer in events, or of a file whose ``headers`` name a type; they go before the first."""
        if not self.started:
            self.is_download = "Content-Type" in headers
            await self._start(status, {**_EVENTS, **headers})
        await self.send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end_stream(self) -> None:
        """End an answer in pieces."""
        await self.send({"type": "http.response.body", "body": b""})

    async def break_off(self) -> None:
        """End an answer that has begun and will not be whole: nobody takes half a file for all of it."""
        await self.send({"type": BROKEN_OFF} if self.is_download else {"type": "http.response.body", "body": b""})

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.started = True
        named = {**self.headers, **headers}
        encoded = [(name.encode(), value.encode("latin1")) for name, value in named.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})
