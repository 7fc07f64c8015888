"""What waits to be sent to one client: one queue, one writer, bounded.

Answers and notifications share the queue, so a client sees them in the order in which they
came about. ``put`` never waits, because one slow client must not delay the others; a client
for which too much waits is cut off with 4008 and mends itself by ``session.open``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

READS_TOO_SLOWLY = 4008
# Characters that may wait beside the frame under way: one large answer cuts nobody off.
BACKLOG = 1024 * 1024

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outbox:
    """The frames that wait for one client. Belongs to the event loop."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[str] = deque()
        self._length = 0
        self._close_code: int | None = None
        self._news = asyncio.Event()
        self._writer = asyncio.create_task(self._write())

    @property
    def closed(self) -> bool:
        """Whether the connection is to be closed; nothing more is taken then."""
        return self._close_code is not None

    def put(self, frame: str) -> None:
        """Send a frame after those that wait; cuts the client off where too many do."""
        if self.closed:
            return
        if self._waiting and self._length - len(self._waiting[0]) > BACKLOG:
            self._cut_off()
            return
        self._waiting.append(frame)
        self._length += len(frame)
        self._news.set()

    def close(self, code: int) -> None:
        """Close the connection behind what waits."""
        if not self.closed:
            self._close_code = code
            self._news.set()

    def stop(self) -> None:
        """Forget what waits: the client has gone."""
        self._writer.cancel()

    def _cut_off(self) -> None:
        self._waiting.clear()
        self._writer.cancel()
        self._close_code = READS_TOO_SLOWLY
        self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while not (self.closed and not self._waiting):
            while self._waiting:
                await self._send({"type": "websocket.send", "text": self._waiting[0]})
                self._length -= len(self._waiting.popleft())
            self._news.clear()
            if not self.closed:
                await self._news.wait()
        await self._send({"type": "websocket.close", "code": self._close_code})
