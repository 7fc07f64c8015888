"""The order in which the commands of one connection are carried out.

Strictly one after the other would be the least surprising, but then a slow search holds up
``turn.stop``. So commands run side by side in lanes: those that name the same session keep
their order (a client may send two turns without waiting), and so do those of the same method
that name none. Answers may come out of order; JSON-RPC ties them to requests by id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sessions_app.api.decode import Request

# Commands that wait or run. With more, the connection is not read until one has ended.
OUTSTANDING = 64


def lane_of(request: Request) -> str:
    """Return the lane of a request: the session it names, else its method."""
    session_id = request.params.get("session_id") if isinstance(request.params, dict) else None
    return session_id.lower() if isinstance(session_id, str) else request.method


class Lanes:
    """The commands of one connection. They outlive it: what was asked for is carried out."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(OUTSTANDING)
        self._last: dict[str, asyncio.Task[None]] = {}

    async def enter(self, lane: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begin ``work`` after what is in its lane; waits only while there is no room."""
        await self._room.acquire()
        task = asyncio.create_task(self._run(self._last.get(lane), work))
        self._last[lane] = task
        task.add_done_callback(lambda _: self._leave(lane, task))

    async def ended(self) -> None:
        """Wait until all that was begun has ended."""
        while self._last:
            await asyncio.wait(self._last.values())

    async def _run(self, before: asyncio.Task[None] | None, work: Callable[[], Awaitable[None]]) -> None:
        if before:
            await asyncio.wait([before])
        await work()

    def _leave(self, lane: str, task: asyncio.Task[None]) -> None:
        self._room.release()
        if self._last.get(lane) is task:
            del self._last[lane]
