"""Do jobs in this process, one at a time: claim one, keep its heart beating while it is worked on, end it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from sessions_app import database
from sessions_app.files.store import StoreFull
from sessions_app.jobs import clearing, rows
from sessions_app.jobs.exporting import export
from sessions_app.jobs.importing import bring_in
from sessions_app.jobs.rows import Claim, ClaimLost
from sessions_app.models import JobKind
from sessions_app.realtime.publishing import Publisher
from sessions_app.transfer.archive import Progress
from sessions_app.turn_store.heartbeat import beat_seconds, silence_of

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
CLEAR_SECONDS = 60.0
_FULL = "The disk of this site is full. Nothing was kept; try again later."
_FAULT = "Something went wrong on the server. Try again later."

Work = Callable[[Claim, Progress], Awaitable[None]]


class Jobs:
    """Lives as long as the process, between ``start`` and ``stop``; ``lease`` (seconds) is that of turns."""

    def __init__(self, process: str, publisher: Publisher, lease: float) -> None:
        self._process = process
        bring = partial(bring_in, publisher)
        self._work: dict[JobKind, Work] = {JobKind.EXPORT: export, JobKind.IMPORT: bring}
        self._beat_seconds = beat_seconds(lease)
        self._silence = silence_of(lease)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to look for jobs, in the background."""
        self._tasks = [
            asyncio.create_task(self._every(POLL_SECONDS, self.do_all)),
            asyncio.create_task(self._clear()),
        ]

    async def stop(self) -> None:
        """End; a job that is worked on is left to another process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def do_all(self) -> None:
        """Do what there is to do, one job after the other."""
        while await database.SUPERVISOR.read(rows.is_anything_to_do):
            claimed = await database.SUPERVISOR.write(rows.claim, self._process, self._silence)
            if claimed is None:
                break
            await self._do(claimed)

    async def _do(self, claimed: Claim) -> None:
        done = Done()
        work = asyncio.create_task(_ended(claimed, self._work[claimed.kind](claimed, done.note)))
        heart = asyncio.create_task(self._beat(claimed, done, work))
        try:
            await asyncio.wait([work])
            with suppress(ClaimLost, asyncio.CancelledError):
                work.result()
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait([work])
            with suppress(ClaimLost):
                await database.SUPERVISOR.write(rows.give_back, claimed)
            raise
        finally:
            heart.cancel()
            await asyncio.wait([heart])

    async def _beat(self, claimed: Claim, done: Done, work: asyncio.Task[None]) -> None:
        """Say that the job is alive, and how far; end the work on one that is no longer ours."""
        while True:
            await asyncio.sleep(self._beat_seconds)
            try:
                await database.HEART.write(rows.beat, claimed, done.part)
            except ClaimLost:
                work.cancel()
            except Exception:
                logger.exception("the heartbeat of a job failed; it is tried again")

    async def _clear(self) -> None:
        await asyncio.sleep(CLEAR_SECONDS)  # first: a process that has just begun has better things to do
        await self._every(CLEAR_SECONDS, clearing.clear)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                logger.exception("a round of jobs failed; it is tried again")
            await asyncio.sleep(seconds)


class Done:
    """How much of a job is done, from 0 to 1."""

    part = 0.0

    def note(self, part: float) -> None:
        """Note how much is done by now."""
        self.part = part


async def _ended(claimed: Claim, work: Awaitable[None]) -> None:
    """Do the work, and where it fails say so to its user. Raises ClaimLost."""
    try:
        await work
    except ClaimLost:
        raise
    except StoreFull:
        logger.error("a job has found the disk full")
        await database.of(claimed.owner_id).write(rows.fail, claimed, _FULL)
    except Exception:
        logger.exception("a job failed")
        await database.of(claimed.owner_id).write(rows.fail, claimed, _FAULT)
