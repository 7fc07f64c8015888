"""The body of a request, read by a thread as it comes: none is in memory as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sessions_app.http_api.errors import Gone

END_BYTES = 256
"""Of a body's end, which are kept."""


class Body:
    """The body of a request, as a file that a thread reads: each piece is taken when it is asked for.

    ``loop`` is the one that the request belongs to.
    """

    def __init__(self, receive: Callable[[], Awaitable[dict[str, Any]]], loop: asyncio.AbstractEventLoop) -> None:
        self._receive = receive
        self._loop = loop
        self._rest = b""
        self._ended = False
        self.end = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; empty at the end. Raises Gone."""
        while not self._rest and not self._ended:
            self._rest = self._next()
        piece, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        self.end = (self.end + piece)[-END_BYTES:]
        return piece

    def drain(self) -> None:
        """Read what is left."""
        while self.read(64 * 1024):
            pass

    def _next(self) -> bytes:
        message = asyncio.run_coroutine_threadsafe(_received(self._receive), self._loop).result()
        if message["type"] == "http.disconnect":
            raise Gone
        self._ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece


async def _received(receive: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    return await receive()
