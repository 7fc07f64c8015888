"""What a process does from time to time for its turns, and for those that others left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sessions_app import database
from sessions_app.models import Turn
from sessions_app.turns import recovery
from sessions_app.turns.heart import BEAT_SECONDS, Beat, beat
from sessions_app.turns.run import INTERRUPTED, Run

if TYPE_CHECKING:
    from sessions_app.turns.runner import Runner

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0


class Keeper:
    """Beats the hearts of running turns, recovers dead ones, closes idle agents.

    Lives between the runner's ``start`` and ``drain``. ``lease`` in seconds: a dead owner is
    noticed within it, because it is looked for three times in that time.
    """

    def __init__(self, runner: Runner, lease: float) -> None:
        self._runner = runner
        self._lease = lease
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Recover once, then go on in the background."""
        await self.recover()
        self._tasks = [
            asyncio.create_task(self._every(BEAT_SECONDS, self.beat)),
            asyncio.create_task(self._every(self._lease / 3, self.recover)),
            asyncio.create_task(self._every(SWEEP_SECONDS, self._runner.pool.sweep)),
        ]

    async def stop(self) -> None:
        """End the background work."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def beat(self) -> None:
        """Checkpoint and beat for every run; let go of those that are no longer ours."""
        runs = {run.turn.pk: run for run in self._runner.runs if run.ending is None}
        if not runs:
            return
        checkpoints = {pk: (run.stream.message_id, run.stream.text) for pk, run in runs.items()}
        pulse = await database.write(beat, [_beat_of(run, *checkpoints[pk]) for pk, run in runs.items()])
        for pk, run in runs.items():
            run.checkpoint = checkpoints[pk]
            if run.ending is None and pk in pulse.lost:
                run.stop("lost")
            elif pk in pulse.stop_requested:
                run.stop("stopped")

    async def recover(self) -> None:
        """End the turns of dead owners, and begin what is queued and nobody runs."""
        runner = self._runner
        if not runner.accepting:
            return
        mine = frozenset(run.turn.pk for run in runner.runs)
        for turn in await database.read(recovery.dead_turns, self._lease, mine):
            await self._try(self._take_over(turn))
        for owner_id, session_id in await database.read(recovery.waiting_sessions):
            await self._try(self._begin(owner_id, session_id))

    async def _try(self, work: Coroutine[Any, Any, None]) -> None:
        """One that cannot be mended must not keep the others, or the start, from going on."""
        try:
            await self._runner.carry(work)
        except Exception:
            logger.exception("a turn could not be recovered; it is tried again")

    async def _begin(self, owner_id: int, session_id: UUID) -> None:
        process = self._runner.taker()
        if process is None:
            return
        begun = await database.write(recovery.begin_waiting, owner_id, session_id, process)
        if begun is not None:
            self._runner.launch(begun)

    async def _take_over(self, turn: Turn) -> None:
        runner = self._runner
        recovered = await database.write(recovery.recover, turn, runner.taker(), INTERRUPTED)
        if recovered is None:
            return
        ended = recovered.ended
        runner.interrupted(recovered.turn)
        runner.hub.custom(recovered.turn.owner_id, ended.chat_session.id, "session.updated", ended.chat_session)
        if ended.following is not None:
            runner.launch(ended.following)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except Exception:
                logger.exception("a keeper's round failed; it is tried again")


def _beat_of(run: Run, answer_id: UUID, text: str) -> Beat:
    unchanged = run.checkpoint == (answer_id, text)
    return Beat(run.turn.pk, run.begun.claim, answer_id, None if unchanged else text)
