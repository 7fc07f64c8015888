"""What others left to this process: turns of dead owners, queues that nobody serves, turns of its own never launched.

A crash may leave thousands, and this process has users of its own. So at each look it takes up a bounded number,
one transaction after the other, and few of the queues run at once.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Collection, Coroutine, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from sessions_app import database
from sessions_app.conversations.turn_results import INTERRUPTED
from sessions_app.realtime.publishing import Publisher
from sessions_app.turn_store import recovery
from sessions_app.turn_store.recovery import Running
from sessions_app.turns import tally
from sessions_app.turns.launcher import Launcher
from sessions_app.turns.registry import RunRegistry

logger = logging.getLogger(__name__)

# Turns of dead owners that one look ends, some 10 ms each, and queues that it begins, some 40 ms each. The next look
# comes a second later.
ENDED_AT_ONCE, BEGUN_AT_ONCE = 25, 10
# Sessions whose queue was left behind and that run in this process at the same time.
QUEUES_AT_ONCE = 50


class TakeOver:
    """Takes over what others left. A process is dead after ``silence`` seconds."""

    def __init__(self, registry: RunRegistry, publisher: Publisher, launcher: Launcher, silence: float) -> None:
        self._registry = registry
        self._publisher = publisher
        self._launcher = launcher
        self._silence = silence
        self._served: set[UUID] = set()

    async def take_up_some(self, unlaunched: Collection[Running], dead: Sequence[Running]) -> bool:
        """Take up some of what was left; tell whether all of that went well.

        ``unlaunched`` are turns that are claimed for this process, and that it does not run.
        """
        # At random: so that several processes do not wait for each other at every one, and those that
        # cannot be ended do not come first every time.
        chosen = random.sample(dead, min(len(dead), ENDED_AT_ONCE))  # nosec B311
        # Once the dead are ended, what was queued behind them waits.
        went_well = [
            await self._try(work) for work in chain(map(self._adopt, unlaunched), map(self._take_over, chosen))
        ]
        went_well += [await self._try(self._begin(*queue)) for queue in await self._next_queues()]
        return all(went_well)

    async def _next_queues(self) -> list[tuple[int, UUID]]:
        """Return queues that nobody serves while fewer than ``QUEUES_AT_ONCE`` of them run here.

        Where more wait than there is room for, those that run give their place up after the turn that they are at.
        """
        self._served = {session_id for session_id in self._served if self._registry.get(session_id)}
        free = QUEUES_AT_ONCE - len(self._served)
        waiting = await database.SUPERVISOR.read(recovery.waiting, free + 1)
        if len(waiting) > free:
            for session_id in self._served:
                if (run := self._registry.get(session_id)) is not None:
                    run.takes_next = False
        return waiting[: min(free, BEGUN_AT_ONCE)]

    async def _try(self, work: Coroutine[Any, Any, None]) -> bool:
        """One that cannot be mended must not keep the others from going on."""
        try:
            await self._launcher.run_shielded(work)
        except Exception:
            logger.exception("a turn could not be recovered; it is tried again")
            return False
        return True

    async def _adopt(self, seen: Running) -> None:
        if not self._registry.is_unlaunched(seen):
            return
        begun = await self._publisher.write(database.SUPERVISOR, recovery.adopt, seen)
        if begun is not None:
            self._launcher.launch(begun)

    async def _begin(self, owner_id: int, session_id: UUID) -> None:
        process = self._launcher.next_process()
        if process is None:
            return
        begun = await self._publisher.write(database.SUPERVISOR, recovery.begin_waiting, owner_id, session_id, process)
        if begun is not None:
            self._served.add(session_id)
            self._launcher.launch(begun)

    async def _take_over(self, seen: Running) -> None:
        if await self._publisher.write(database.SUPERVISOR, recovery.recover, seen, self._silence, INTERRUPTED):
            tally.RECOVERED.inc()
