"""Stop turns wherever they run, and wait for their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from sessions_app.errors import Conflict
from sessions_app.journal import Fact
from sessions_app.models import FactName, Turn
from sessions_app.realtime.bus import Bus
from sessions_app.turn_store.alive import StillStopping
from sessions_app.turns.registry import RunRegistry

R = TypeVar("R")

LOOKS = 3
"""Times that the end of a run in another process is waited for."""
LOOK_SECONDS = 1.0
"""Of each."""


class Stopping:
    """Lives as long as the process."""

    def __init__(self, registry: RunRegistry, bus: Bus) -> None:
        self._registry = registry
        self._bus = bus
        self._ends: dict[UUID, asyncio.Event] = {}

    def hear(self, fact: Fact) -> None:
        """Take a fact of a user of this process: who waits for the end of a turn learns it."""
        if fact.name == FactName.TURN_ENDED and fact.subject in self._ends:
            self._ends[fact.subject].set()

    async def before(self, work: Callable[[], Awaitable[R]]) -> R:
        """Carry out what waits for the end of a turn that is being stopped. Raises Conflict where it goes on."""
        for _ in range(LOOKS):
            try:
                return await work()
            except StillStopping as still:
                await self.stop(still.turn)
        try:
            return await work()
        except StillStopping:
            raise Conflict("The answer before is still being stopped. Try again in a moment.") from None

    async def stop(self, turn: Turn) -> None:
        """Stop a turn wherever it runs, and return when it has ended, or after a look's time."""
        if (run := self._registry.of(turn)) is not None:
            run.stop("stopped")
            await run.ended.wait()
            return
        # Else its process's next heartbeat would find it.
        run_id, session_id = str(turn.run_id), str(turn.chat_session_id)
        self._bus.send(turn.process, {"kind": "stop", "session": session_id, "run": run_id})
        await self._await_end(turn.run_id)

    async def _await_end(self, run_id: UUID) -> None:
        """Return when a fact says that a run has ended, or when it is time to look."""
        event = self._ends.setdefault(run_id, asyncio.Event())
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._ends.pop(run_id, None)
