"""What waits to be sent to one client: one queue, one writer, bounded.

Responses and notifications share the queue, so a client sees them in the order in which they
came about. Who notifies never waits, because one slow client must not delay the others: a
client for which too many notifications wait is cut off with 4008, and mends itself by
``session.open``. Of responses it may ask for any number: while too many wait, so does the next
command (``room``). Who takes nothing at all for a while is cut off as well.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import Counter

from sessions_app.metrics import REGISTRY

READS_TOO_SLOWLY = 4008
# Characters of each kind that may wait. A streaming answer brings some 5,000 a second.
BACKLOG = 256 * 1024
# An answer comes twice, as it is written and whole when it is stored, and JSON doubles what it escapes. It may come at
# once, and a client that reads must not be cut off for that.
CHARACTERS_PER_ANSWER = 4
# Seconds in which a client must take a frame, and characters a second at which it must do so.
STALLED, SLOWEST = 10.0, 30_000.0

CUT_OFF = Counter("hermes_connections_cut_off", "Clients cut off because they read too slowly.", registry=REGISTRY)

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outbox:
    """The frames that wait for one client. Belongs to the event loop.

    ``longest_answer`` (characters, HERMES_MAX_ANSWER) may wait besides the usual backlog. ``begin`` calls what
    lets the next frame be sent, when it is the client's turn (``scheduling.pace``).
    """

    def __init__(self, send: Send, longest_answer: int, begin: Callable[[Callable[[], None]], None]) -> None:
        self._send = send
        self._begin = begin
        self._backlog = BACKLOG + CHARACTERS_PER_ANSWER * longest_answer
        # With what each adds to: notifications, responses.
        self._waiting: deque[tuple[str, int, int]] = deque()
        self._told = 0
        self._responses = 0
        self._close_code: int | None = None
        # Asked for from when there is something to send until it is this client's turn.
        self._asked = False
        self._turn = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._writer = asyncio.create_task(self._write())

    @property
    def closed(self) -> bool:
        """Whether the connection is to be closed; nothing more is taken then."""
        return self._close_code is not None

    def tell(self, frame: str) -> None:
        """Send a notification after what waits; cuts the client off where too many do."""
        if self._told > self._backlog:
            self._cut_off()
        self._put(frame, len(frame), 0)

    def respond(self, frame: str) -> None:
        """Send a response after what waits."""
        self._put(frame, 0, len(frame))

    async def room(self) -> None:
        """Wait until the client has read its responses so far, but for a few."""
        await self._room.wait()

    def close(self, code: int) -> None:
        """Close the connection behind what waits."""
        if not self.closed:
            self._close_code = code
            if code == READS_TOO_SLOWLY:
                CUT_OFF.inc()
            self._room.set()
            self._ask()

    def stop(self) -> None:
        """Forget what waits: the client has gone."""
        self._writer.cancel()
        self._room.set()

    def _put(self, frame: str, told: int, response: int) -> None:
        if not self.closed:
            self._waiting.append((frame, told, response))
            self._count(told, response)
            self._ask()

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._begin(self._turn.set)

    def _count(self, told: int, response: int) -> None:
        self._told += told
        self._responses += response
        if self._responses > BACKLOG:
            self._room.clear()
        else:
            self._room.set()

    def _cut_off(self) -> None:
        if not self.closed:
            self._waiting.clear()
            self._writer.cancel()
            self.close(READS_TOO_SLOWLY)
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._waiting or not self.closed:
            if self._waiting:
                self._ask()
            await self._turn.wait()
            self._turn.clear()
            self._asked = False
            if self._waiting:
                await self._send_first()
        await self._send({"type": "websocket.close", "code": self._close_code})

    async def _send_first(self) -> None:
        frame, told, response = self._waiting[0]
        try:
            async with asyncio.timeout(STALLED + len(frame) / SLOWEST):
                await self._send({"type": "websocket.send", "text": frame})
        except TimeoutError:
            self._waiting.clear()
            self.close(READS_TOO_SLOWLY)
        else:
            self._waiting.popleft()
            self._count(-told, -response)
