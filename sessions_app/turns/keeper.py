"""What a process does from time to time for its turns, and for those that others left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from sessions_app import database
from sessions_app.search import index
from sessions_app.shapes import queued_shape
from sessions_app.turns import abandoned, recovery
from sessions_app.turns.heart import BEAT_SECONDS, Beat, beat
from sessions_app.turns.inheritance import Inheritance
from sessions_app.turns.recovery import Running
from sessions_app.turns.run import Run

if TYPE_CHECKING:
    from sessions_app.turns.runner import Runner

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0
# Beats without a look that make a gap, and until heartbeats are believed after it.
GAP_BEATS = 4


class Keeper:
    """Beats the hearts of running turns, looks for those of others, closes idle agents, indexes what was said.

    Lives between the runner's ``start`` and ``drain``. ``lease`` in seconds: an owner is taken
    for dead when its last heartbeat is a beat short of that old, and looked at once a beat, so
    that its death is noticed within the lease.
    """

    def __init__(self, runner: Runner, lease: float) -> None:
        self._runner = runner
        self._beat_seconds = min(BEAT_SECONDS, lease / 5)
        self.silence = lease - self._beat_seconds
        self._tasks: list[asyncio.Task[None]] = []
        self._inheritance = Inheritance(runner, self.silence)
        self._looking = asyncio.Lock()
        self._unlaunched: set[Running] = set()
        self._looked: float | None = None
        self._judges_from = 0.0

    def start(self) -> None:
        """Begin to work, in the background."""
        self._tasks = [
            asyncio.create_task(self._every(self._beat_seconds, self.beat)),
            asyncio.create_task(self._every(self._beat_seconds, self.look)),
            asyncio.create_task(self._every(SWEEP_SECONDS, self._runner.pool.sweep)),
            asyncio.create_task(self._every(self._beat_seconds, self.index)),
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
        pulse = await database.HEART.write(beat, [_beat_of(run, *checkpoints[pk]) for pk, run in runs.items()])
        for pk, run in runs.items():
            run.checkpoint = checkpoints[pk]
            if run.ending is None and pk in pulse.lost:
                run.stop("lost")
            elif pk in pulse.to_stop:
                run.stop("stopped")

    async def index(self) -> None:
        """Bring the search index up to date, in steps with room for others between them."""
        while await database.read(index.waiting) and await database.write(index.catch_up):
            pass

    async def look(self) -> None:
        """Learn what runs elsewhere; end what dead owners and users who may no longer act have left, or go on with it.

        One step of bounded size; what is more than that is left to the next look.
        """
        async with self._looking:
            runner = self._runner
            mine, given_up = frozenset(run.turn.pk for run in runner.runs), runner.given_up
            seen = await database.WATCH.read(recovery.look, self.silence, runner.process, mine)
            runner.recovered(given_up - {turn.run_id for turn in seen.running})
            may_judge = self._has_looked()
            await runner.elsewhere.look(seen.running, seen.over)
            await self._end_abandoned(seen.abandoned)
            unlaunched = self._unlaunched_again(seen.running)
            if runner.accepting:
                dead = [turn for turn in seen.running if turn.dead and may_judge]
                if await self._inheritance.step(unlaunched, dead):
                    # However long it took, the database was there.
                    self._looked = asyncio.get_running_loop().time()

    def _has_looked(self) -> bool:
        """Note a look, and tell whether there were some before it without a gap.

        After an outage of the database every heartbeat is old, and whoever comes first would end
        the turns of owners that are just as alive: they get some beats to say so.
        """
        now = asyncio.get_running_loop().time()
        gap = now - (self._looked or now)
        if gap > GAP_BEATS * self._beat_seconds:
            # Some are back later than others, by no more than they were away.
            self._judges_from = now + min(gap, self.silence) + GAP_BEATS * self._beat_seconds
        self._looked = now
        return now >= self._judges_from

    def _unlaunched_again(self, running: Iterable[Running]) -> set[Running]:
        """Return the turns that are claimed for this process, and were not run by it at two looks.

        At one look, such a turn's commit may just be on its way from the database's thread.
        """
        before = self._unlaunched
        self._unlaunched = {turn for turn in running if self._runner.is_unlaunched(turn)}
        return {turn for turn in self._unlaunched if turn in before}

    async def _end_abandoned(self, turn_ids: Collection[int]) -> None:
        for turn in await database.WATCH.write(abandoned.end, turn_ids) if turn_ids else []:
            self._runner.elsewhere.over(turn.run_id)
            self._runner.custom(turn.owner_id, turn.chat_session_id, "turn.withdrawn", queued_shape(turn))

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                logger.exception("a keeper's round failed; it is tried again")
            await asyncio.sleep(seconds)


def _beat_of(run: Run, answer_id: UUID, text: str) -> Beat:
    unchanged = run.checkpoint == (answer_id, text)
    return Beat(run.turn.pk, run.begun.claim, answer_id, None if unchanged else text)
