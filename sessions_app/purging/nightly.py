"""The night's purge: once a night, by whichever process comes first; where one dies, another goes on with its run."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from sessions_app import database
from sessions_app.purging import runs
from sessions_app.purging.purge import Purge
from sessions_app.purging.runs import ClaimLost
from sessions_app.realtime.publishing import Publisher
from sessions_app.turn_store.heartbeat import silence_of

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
# A step may have to wait for others, on a slow machine for as long as a lease.
_LEAST_SILENCE_SECONDS = 120.0


class NightlyPurge:
    """Lives as long as the process, between ``start`` and ``stop``; ``lease`` (seconds) is that of turns."""

    def __init__(self, process: str, publisher: Publisher, lease: float) -> None:
        self._process = process
        self._write = partial(publisher.write, database.SUPERVISOR)
        self._silence = silence_of(lease)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look whether it is time, in the background."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End; a run that is under way is left to another process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def run_if_due(self) -> None:
        """Make the night's purge, where no process has."""
        silence = max(self._silence, _LEAST_SILENCE_SECONDS)
        if not await database.SUPERVISOR.read(runs.is_to_do, silence):
            return
        run = await database.SUPERVISOR.write(runs.begin_night, self._process, silence)
        if run is not None:
            try:
                await Purge(self._write, run, self._silence).carry_out()
            except ClaimLost:
                logger.warning("another process has gone on with the night's purge")

    async def _watch(self) -> None:
        while True:
            # First: a process that has just begun has better things to do.
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.run_if_due()
            except Exception:
                logger.exception("the night's purge failed; it is tried again")
