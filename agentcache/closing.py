"""The one way to close an agent: in a task of its own, when nobody uses it any more.

Nobody's turn waits for it, a turn that is cancelled as it ends does not take it along, an error in it reaches nobody
but the log, and one that hangs is cut off, so that neither a sweep nor the end of the process hangs with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic

from agentcache.statistics import Tally
from agentcache.transcript_store import A

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 10.0
"""How long one agent may take to close: a third of the time that a stopping process has by default (contract)."""


class Closer(Generic[A]):
    """Closes agents in the background. `len()` is the number of those it has not finished."""

    def __init__(self, close: Callable[[A], Awaitable[None]], tally: Tally) -> None:
        self._close = close
        self._tally = tally
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, agent: A) -> None:
        """Begin to close an agent; it runs after the caller's atomic section."""
        # The loop itself keeps only weak references to its tasks.
        task = asyncio.create_task(self._run(agent), name="close agent")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until all agents that are being closed now are closed."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, agent: A) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._close(agent)
        except Exception:
            self._tally["close_errors"] += 1
            logger.exception("An agent could not be closed")
