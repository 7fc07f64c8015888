"""Run the turns that were begun for this process, each to its stored end, and go on with the session's next one.

The steps of a run, each after the one before has been committed or has failed:

1. The agent is leased, and the transcript obtained; the model answers, tools run (``run``).
2. The end is stored, in one transaction with the beginning of the session's next turn. Its facts are delivered.
3. The run leaves the registry, and the next turn is launched: nothing waits between.
4. The re-baseline: the baseline moves over what was stored, and what others wrote meanwhile is told. The lease ends.
5. What may have been the session's first answer is offered for a title, and the session waits for a refresh.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from ag_ui.core import BaseEvent

from sessions_app import tracing
from sessions_app.conversations.transcript import OwnershipLost
from sessions_app.realtime.bus import Bus, group_of
from sessions_app.realtime.delivery import Delivery
from sessions_app.realtime.feed import Feed, Watched, event_message, origin
from sessions_app.realtime.notices import run_notice
from sessions_app.realtime.publishing import Publisher
from sessions_app.turn_store.claimed_turn import ClaimedTurn
from sessions_app.turn_store.ending import FinishedTurn
from sessions_app.turns import spans, tally
from sessions_app.turns.memory import TurnMemory
from sessions_app.turns.pool import AgentPool
from sessions_app.turns.rebaseline import rebaseline
from sessions_app.turns.refreshing import Refresher
from sessions_app.turns.registry import RunRegistry
from sessions_app.turns.run import Run
from sessions_app.turns.starts import Starts
from sessions_app.turns.titling import TitleMaker

logger = logging.getLogger(__name__)

R = TypeVar("R")


class Launcher:
    """Runs turns. ``lease`` is HERMES_TURN_LEASE, in seconds; no turn begins once it is not ``accepting``.

    ``watched`` are the sessions that are open in other processes, ``starts`` what is about to be launched. ``titles``
    makes titles, and ``refresher`` keeps prompts warm: each None where nobody does.
    """

    def __init__(
        self,
        registry: RunRegistry,
        publisher: Publisher,
        delivery: Delivery,
        bus: Bus,
        pool: AgentPool,
        titles: TitleMaker | None,
        refresher: Refresher | None,
        *,
        lease: float,
    ) -> None:
        self.accepting = True
        self.watched = Watched()
        self.starts = Starts()
        self._registry = registry
        self._publisher = publisher
        self._delivery = delivery
        self._bus = bus
        self._pool = pool
        self._titles = titles
        self._refresher = refresher
        self._lease = lease
        self._tasks: set[asyncio.Task[Any]] = set()

    async def drain(self, grace: float) -> None:
        """Begin no more turns, let the running ones end for ``grace`` seconds, cut the rest.

        What they said by then is stored; what is queued is left to other processes.
        """
        self.accepting = False
        loop = asyncio.get_running_loop()
        until = loop.time() + grace
        while self._tasks and loop.time() < until:
            await asyncio.wait(self._tasks, timeout=until - loop.time())
        while self._tasks:
            for run in self._registry.runs:
                run.stop("interrupted")
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    @property
    def work(self) -> frozenset[asyncio.Task[Any]]:
        """What is under way: turns to their last step, and commands that begin turns."""
        return frozenset(self._tasks)

    def launch(self, begun: ClaimedTurn) -> None:
        """Run a turn that was begun for this process."""
        run = Run(
            begun,
            began=self._publisher.pop_began(begun.turn.run_id) or begun.cursor,
            show=self._show,
            write=self._publisher.write,
            give_way=self.starts.give_way,
            feed=Feed(begun.session_id, self.watched, partial(self._bus.send, group_of(begun.turn.owner_id))),
            lease_time=self._lease,
        )
        if begun.turn.stop_requested:
            run.stop("stopped")
        if self._refresher is not None:
            self._refresher.forget(begun.session_id)
        before = self._registry.add(run)
        self._keep(asyncio.create_task(self._carry_out(run, before)))

    async def run_shielded(self, work: Coroutine[Any, Any, R]) -> R:
        """Await work that begins turns: it outlives its caller, and a draining waits for it."""
        return await asyncio.shield(self._keep(asyncio.create_task(work)))

    def _keep(self, task: asyncio.Task[R]) -> asyncio.Task[R]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _carry_out(self, run: Run, before: Run | None) -> None:
        with spans.turn(run):
            await self._carry_on(run, before)

    async def _carry_on(self, run: Run, before: Run | None) -> None:
        try:
            if before is not None:
                # Somebody else has ended that turn. What it has in memory is shared with nobody.
                before.stop("lost")
                await before.ended.wait()
            async with self._pool.lease(run.turn.owner_id, run.begun.session_id) as lease:
                memory = TurnMemory(run.begun, lease)
                ending = await run.answer(lease.agent, memory)
                try:
                    with tracing.span("store_end", {}):
                        ended = await run.store(ending, self.next_process)
                except OwnershipLost:
                    self._lost(run)
                    return
                tally.count(run.begun.model, run.ending or ending, lasted=run.lasted, first_word=run.first_word)
                self._go_on(run, ended)
                with tracing.span("rebaseline", {}):
                    await rebaseline(memory, ended.stored, self._publisher)
                if self._refresher is not None and ended.following is None:
                    self._refresher.wait_for(memory)
            if self._titles is not None:
                with spans.apart():
                    self._titles.offer(run)
        except Exception:
            logger.exception("turn %s failed outside of its answer", run.turn.run_id)
            if not run.ended.is_set():
                await self._break_off(run)

    def next_process(self) -> str | None:
        """Return who takes the session's next turn: this process, unless it is stopping."""
        return self._registry.process if self.accepting else None

    def _go_on(self, run: Run, ended: FinishedTurn) -> None:
        """Leave a run whose end is stored, and go on with the session's next turn."""
        self._registry.remove(run)
        if ended.following is not None:
            with spans.apart():
                self.launch(ended.following)
        run.ended.set()

    async def _break_off(self, run: Run) -> None:
        """End a run that failed before it could answer; where its end cannot be stored, it is left to recovery."""
        try:
            if run.ending is not None:
                raise OwnershipLost
            self._go_on(run, await run.store(run.failed(), self.next_process))
        except Exception:
            self._lost(run)

    def _lost(self, run: Run) -> None:
        self._registry.give_up(run)
        run.ended.set()

    def _show(self, run: Run, seq: int, event: BaseEvent) -> None:
        if run.is_lost:
            return
        session_id, run_id = run.begun.session_id, run.turn.run_id
        notice = run_notice(session_id, run_id, seq, event, began=run.began)
        self._delivery.run_event(run.turn.owner_id, notice)
        if not self._bus.is_alone:
            message = event_message(run.stream, seq, event, notice.text)
            if seq == 1:
                message |= origin(run.turn.owner_id, session_id, self._registry.process, run.began)
            run.feed.add(message)
