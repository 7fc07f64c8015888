"""What a process does from time to time for its turns, and for those that others left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from sessions_app import database, journal
from sessions_app.audit import telling
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.conversations.search import index
from sessions_app.errors import NotFound
from sessions_app.files import clearing
from sessions_app.journal import foreign
from sessions_app.models import Authorisation, AuthorisationRequest, Ticket
from sessions_app.realtime.delivery import Delivery
from sessions_app.realtime.publishing import Publisher
from sessions_app.realtime.remote_runs import RemoteRuns
from sessions_app.turn_store import (
    deleting,
    inactive_approvals,
    inactive_users,
    lost_approvals,
    lost_profiles,
    recovery,
)
from sessions_app.turn_store.heartbeat import Beat, beat, beat_seconds, silence_of
from sessions_app.turn_store.recovery import Running, Seen
from sessions_app.turns.launcher import Launcher
from sessions_app.turns.pool import AgentPool
from sessions_app.turns.refreshing import Refresher
from sessions_app.turns.registry import RunRegistry
from sessions_app.turns.run import Run
from sessions_app.turns.takeover import TakeOver
from sessions_app.webhooks.running import Webhooks

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
SWEEP_SECONDS = 60.0
# Beats without a look that make a gap, and until heartbeats are believed after it.
GAP_BEATS = 4


class Supervisor:
    """Beats the hearts of running turns, looks for those of others, closes idle agents, indexes what was said.

    Lives between the runner's ``start`` and ``drain``. ``lease`` in seconds: a process is taken
    for dead when its last heartbeat is a beat short of that old, and looked at once a beat, so
    that its death is noticed within the lease.
    """

    def __init__(
        self,
        registry: RunRegistry,
        publisher: Publisher,
        launcher: Launcher,
        delivery: Delivery,
        remote: RemoteRuns,
        pool: AgentPool,
        lease: float,
        refresher: Refresher | None,
        webhooks: Webhooks,
    ) -> None:
        self._registry = registry
        self._publisher = publisher
        self._launcher = launcher
        self._delivery = delivery
        self._remote = remote
        self._pool = pool
        self._refresher = refresher
        self._webhooks = webhooks
        self._beat_seconds = beat_seconds(lease)
        self.silence = silence_of(lease)
        self._tasks: list[asyncio.Task[None]] = []
        self._takeover = TakeOver(registry, publisher, launcher, self.silence)
        self._looking = asyncio.Lock()
        self._unlaunched: set[Running] = set()
        self._looked: float | None = None
        self._judges_from = 0.0

    def start(self) -> None:
        """Begin to work, in the background."""
        self._tasks = [
            asyncio.create_task(self._every(self._beat_seconds, self.beat)),
            asyncio.create_task(self._every(self._beat_seconds, self.look)),
            asyncio.create_task(self._sweep(self._pool.sweep)),
            asyncio.create_task(self._every(self._beat_seconds, self.index)),
            asyncio.create_task(self._every(POLL_SECONDS, self.poll)),
            asyncio.create_task(self._sweep(self.prune)),
            asyncio.create_task(self._every(self._beat_seconds, self.delete_temporary)),
            asyncio.create_task(self._sweep(self.clear_files)),
            asyncio.create_task(self._sweep(self.log_audit_head)),
            asyncio.create_task(self._every(POLL_SECONDS, self._webhooks.poll)),
            asyncio.create_task(self._sweep(self._webhooks.clear)),
        ]
        if self._refresher is not None:
            self._tasks.append(asyncio.create_task(self._every(POLL_SECONDS, self._refresher.refresh_due)))

    async def stop(self) -> None:
        """End the background work."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def beat(self) -> None:
        """Checkpoint and beat for every run; let go of those that are no longer ours."""
        runs = {run.turn.pk: run for run in self._registry.runs if run.ending is None}
        if not runs:
            return
        checkpoints = {pk: run.stream.shape() for pk, run in runs.items()}
        pulse = await database.HEART.write(beat, [_beat_of(run, checkpoints[pk]) for pk, run in runs.items()])
        for pk, run in runs.items():
            run.checkpoint = checkpoints[pk]
            if run.ending is None and pk in pulse.lost:
                run.stop("lost")
            elif pk in pulse.to_stop:
                run.stop("stopped")
            elif pk in pulse.forbidden:
                run.stop("forbidden")

    async def poll(self) -> None:
        """Find what happened without a word: facts, the text of runs elsewhere, changes by other programs."""
        # First what only reads: it goes on where nothing can be written.
        await self._delivery.poll()
        await self._remote.poll()
        if changed := await database.SUPERVISOR.read(foreign.find):
            await self._publisher.write(database.SUPERVISOR, foreign.tell, changed)
        open_here = self._delivery.subscriptions.open_sessions
        if open_here and (gone := await database.SUPERVISOR.read(foreign.gone, open_here)):
            await self._publisher.write(database.SUPERVISOR, foreign.tell_gone, gone)

    async def prune(self) -> None:
        """Remove what was not used in time, what ended users have left, and facts that are too old, in portions."""
        await database.SUPERVISOR.write(Ticket.remove_expired)
        await database.SUPERVISOR.write(AuthorisationRequest.remove_expired)
        await database.SUPERVISOR.write(Authorisation.remove_abandoned)
        while await database.SUPERVISOR.write(journal.prune):
            pass

    async def delete_temporary(self) -> None:
        """Delete sessions that were to go with their answer, and that nobody has deleted."""
        for owner_id, session_id in await database.SUPERVISOR.read(deleting.temporary_left):
            with suppress(NotFound):
                await self._publisher.write(database.SUPERVISOR, deleting.delete, owner_id, session_id, self.silence)

    async def clear_files(self) -> None:
        """Remove files that nothing has any more, and what killed processes have left of uploads."""
        await clearing.clear_broken_off()
        await clearing.clear_abandoned()
        await clearing.clear_unheld()
        await clearing.clear_removed()

    async def log_audit_head(self) -> None:
        """Write the head of the audit to the log, once an hour, in one of all processes."""
        if await database.SUPERVISOR.read(telling.is_head_due) and (
            head := await database.SUPERVISOR.write(telling.take_due_head)
        ):
            telling.log_head(head)

    async def index(self) -> None:
        """Bring the search index up to date, in portions with room for others between them."""
        while await database.read(index.waiting) and await database.write(index.catch_up):
            pass

    async def look(self) -> None:
        """Learn what runs elsewhere; end what dead owners have left and users who may no longer, or go on with it.

        A bounded number of them; what is more than that is left to the next look.
        """
        async with self._looking:
            registry = self._registry
            mine, given_up = {run.turn.pk: run.begun.profile_id for run in registry.runs}, registry.given_up
            seen = await database.SUPERVISOR.read(recovery.look, self.silence, mine)
            registry.forget(given_up - {turn.run_id for turn in seen.running})
            may_judge = self._has_looked()
            await self._end_abandoned(seen)
            unlaunched = self._unlaunched_again(seen.running)
            if self._launcher.accepting:
                dead = [turn for turn in seen.running if turn.dead and may_judge]
                if await self._takeover.take_up_some(unlaunched, dead):
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
        self._unlaunched = {turn for turn in running if self._registry.is_unlaunched(turn)}
        return {turn for turn in self._unlaunched if turn in before}

    async def _end_abandoned(self, seen: Seen) -> None:
        if seen.abandoned:
            await self._publisher.write(database.SUPERVISOR, inactive_users.end, seen.abandoned)
        for owner_id, session_id in seen.undone:
            await self._publisher.write(database.SUPERVISOR, inactive_approvals.end, owner_id, session_id)
        if seen.forbidden:
            await self._publisher.write(database.SUPERVISOR, lost_profiles.end, seen.forbidden)
        for owner_id, session_id in seen.not_permitted:
            await self._publisher.write(database.SUPERVISOR, lost_approvals.end, owner_id, session_id)

    async def _sweep(self, work: Callable[[], Awaitable[None]]) -> None:
        # First: a process that has just begun has better things to do.
        await asyncio.sleep(SWEEP_SECONDS)
        await self._every(SWEEP_SECONDS, work)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                logger.exception("a supervisor's round failed; it is tried again")
            await asyncio.sleep(seconds)


def _beat_of(run: Run, answer: RunShape) -> Beat:
    return Beat(run.turn.pk, run.begun.claim, None if run.checkpoint == answer else answer, run.begun.profile_id)
