"""The order in which the commands of one connection are carried out.

Strictly one after the other would be the least surprising, but then a slow search holds up
``turn.stop``. So commands run side by side in lanes: those that name the same session keep
their order (a client may send two turns without waiting), and so do those of the same method
that name none. Responses may come out of order; JSON-RPC ties them to requests by id.

When the client has gone, commands that change something are still carried out, in their order. Others would
bring a response and nothing else, so they are dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sessions_app.api.decode import Request

# Commands that wait or run. With more, the connection is not read until one has ended.
OUTSTANDING = 64


def lane_of(request: Request) -> str:
    """Return the lane of a request: the session it names, else its method."""
    session_id = request.params.get("session_id") if isinstance(request.params, dict) else None
    return session_id.lower() if isinstance(session_id, str) else request.method


class Lanes:
    """The commands of one connection. Those that ``changes`` outlive it: what was asked for is carried out."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(OUTSTANDING)
        self._last: dict[str, asyncio.Task[None]] = {}
        # Commands under way that are dropped when the client goes.
        self._droppable: set[asyncio.Task[Any]] = set()
        self._gone = False

    async def enter(self, lane: str, work: Callable[[], Awaitable[None]], *, changes: bool) -> None:
        """Begin ``work`` after what is in its lane; waits only while there is no room."""
        await self._room.acquire()
        task = asyncio.create_task(self._run(self._last.get(lane), work, changes))
        self._last[lane] = task
        task.add_done_callback(lambda _: self._end(lane, task))

    async def leave(self) -> None:
        """Drop what changes nothing, and wait until the rest has ended: the client has gone."""
        self._gone = True
        for task in self._droppable:
            task.cancel()
        while self._last:
            await asyncio.wait(self._last.values())

    async def _run(self, before: asyncio.Task[None] | None, work: Callable[[], Awaitable[None]], changes: bool) -> None:
        if before:
            # Also where it will be dropped: what comes after it in its lane waits for it.
            await asyncio.wait([before])
        if changes:
            await work()
        elif not self._gone and (task := asyncio.current_task()):
            self._droppable.add(task)
            try:
                await work()
            finally:
                self._droppable.discard(task)

    def _end(self, lane: str, task: asyncio.Task[None]) -> None:
        self._room.release()
        if self._last.get(lane) is task:
            del self._last[lane]
