"""All running turns of this process: start, stop, follow, drain.

Lives as long as the process and belongs to its event loop; made in ``hermes_site.asgi`` and
injected where it is needed. What other processes run is ``elsewhere``'s. At every moment
``_runs`` says what the database says, but for the time between a commit in a thread and the
loop's next breath; readers that need both compare them (``opening``). Everything after
a commit happens without an await: the run leaves, its end is told, and the session's next turn
is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from ag_ui.core import BaseEvent, RunErrorEvent

from sessions_app import database
from sessions_app.database import Door
from sessions_app.models import Turn, TurnStatus
from sessions_app.shapes import MessageShape, RunShape, queued_shape
from sessions_app.transcript import OwnershipLost
from sessions_app.turns import asking, deleting, tally
from sessions_app.turns.asking import Asked
from sessions_app.turns.beginning import Begun
from sessions_app.turns.elsewhere import Elsewhere
from sessions_app.turns.ending import Ended, Ending, status_of
from sessions_app.turns.feed import Feed
from sessions_app.turns.hub import Connection, Hub, Notification, Shown, fact
from sessions_app.turns.keeper import Keeper
from sessions_app.turns.layer import Layer
from sessions_app.turns.liveness import Process
from sessions_app.turns.memory import TurnMemory
from sessions_app.turns.opening import Sources, open_view
from sessions_app.turns.pool import AgentPool
from sessions_app.turns.recovery import Running
from sessions_app.turns.run import INTERRUPTED, Run
from sessions_app.turns.stream import last_event

logger = logging.getLogger(__name__)

R = TypeVar("R")

# Times that the end of a run in another process is waited for, a second each.
STOP_LOOKS = 3


class Runner:
    """Runs the turns of this process. ``lease`` is HERMES_TURN_LEASE, in seconds."""

    def __init__(self, pool: AgentPool, *, lease: float, layer: Layer | None = None) -> None:
        self.pool = pool
        self._lease = lease
        self._process = Process()
        self.elsewhere = Elsewhere(self, self._process.name, layer)
        self.hub = Hub(self.elsewhere.came, self.elsewhere.left)
        self.accepting = True
        self._runs: dict[UUID, Run] = {}
        self._given_up: set[UUID] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._keeper = Keeper(self, lease)

    async def start(self) -> None:
        """Begin to keep watch. What dead processes left is taken over beside the first clients, not before them."""
        self._process.start()
        self.elsewhere.relay.start()
        self._keeper.start()

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
            for run in self.runs:
                run.stop("interrupted")
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        await self._keeper.stop()
        await self.elsewhere.relay.stop()
        await self.pool.close()
        self._process.end()

    def run_of(self, session_id: UUID) -> Run | None:
        """Return the session's run in this process."""
        return self._runs.get(session_id)

    @property
    def given_up(self) -> frozenset[UUID]:
        """The runs that this process has left to recovery."""
        return frozenset(self._given_up)

    def recovered(self, run_ids: Collection[UUID]) -> None:
        """Forget runs that were given up, and that somebody has ended since."""
        self._given_up.difference_update(run_ids)

    def is_unlaunched(self, turn: Running) -> bool:
        """Tell whether a turn is claimed for this process, which neither runs it nor has given it up."""
        run = self._runs.get(turn.session_id)
        runs_it = run is not None and run.turn.pk == turn.turn_id
        return turn.process == self.process and not runs_it and turn.run_id not in self._given_up

    def _live(self, session_id: UUID) -> RunShape | None:
        run = self._runs.get(session_id)
        return run.stream.shape() if run else None

    @property
    def process(self) -> str:
        """This process's name as the owner of turns."""
        return self._process.name

    @property
    def runs(self) -> list[Run]:
        """The turns that run in this process."""
        return list(self._runs.values())

    async def start_turn(
        self, user_id: int, session_id: UUID, text: str, message_id: UUID | None, *, door: Door = database
    ) -> Asked:
        """Store a turn and run it here, or queue it. Raises NotFound, Conflict, TooMany.

        ``door``, here and below, is the caller's way to the database; what it raises goes to the caller.
        """
        return await self.carry(self._start_turn(door, user_id, session_id, text, message_id))

    async def _start_turn(
        self, door: Door, user_id: int, session_id: UUID, text: str, message_id: UUID | None
    ) -> Asked:
        asked = await door.write(
            asking.ask,
            user_id,
            session_id,
            text,
            message_id,
            process=self.process,
            accepting=self.accepting,
        )
        if asked.queued and not asked.repeated:
            self.custom(user_id, session_id, "turn.queued", queued_shape(asked.turn))
        if asked.begun is not None:
            self.launch(asked.begun)
        return asked

    async def stop_turn(self, user_id: int, session_id: UUID, run_id: UUID | None, *, door: Door = database) -> bool:
        """Stop a running turn, or withdraw a queued one; False where it had ended already. Raises NotFound."""
        found = await door.write(asking.stop, user_id, session_id, run_id)
        if found.withdrawn is not None:
            self.elsewhere.over(found.withdrawn.run_id)
            self.custom(user_id, session_id, "turn.withdrawn", queued_shape(found.withdrawn))
            return True
        if found.running is None:
            return False
        for _ in range(STOP_LOOKS):
            await self._stopped(found.running)
            status = await database.of(user_id).read(status_of, found.running.pk)
            if status != TurnStatus.RUNNING:
                return status == TurnStatus.STOPPED
        return True  # it is asked for, and done when its owner, or who takes over, reads the row

    async def _stopped(self, turn: Turn) -> None:
        """Stop a turn wherever it runs, and return when it has ended, or after a look's time."""
        run = self._runs.get(turn.chat_session_id)
        if run is None or run.turn.pk != turn.pk:
            self.elsewhere.stop(turn)
            await self.elsewhere.wait_for_end(turn.run_id)
        else:
            run.stop("stopped")
            await run.ended.wait()

    async def delete_session(self, user_id: int, session_id: UUID, *, door: Door = database) -> None:
        """End the session's run and delete it whole. Raises NotFound."""
        given_up = self.given_up
        while running := await door.write(deleting.delete, user_id, session_id, self._keeper.silence, given_up):
            if (run := self._runs.get(session_id)) is not None:
                run.takes_next = False
            await self._stopped(running)
        self.custom(user_id, session_id, "session.deleted", str(session_id))

    @asynccontextmanager
    async def opened(
        self, user_id: int, session_id: UUID, connection: Connection, limit: int, *, door: Door = database
    ) -> AsyncIterator[dict[str, Any]]:
        """Open a session for a connection; within, the caller sends the result. Raises NotFound.

        The session's events since are kept back until the block is left.
        """
        self.hub.hold(connection, session_id)
        try:
            sources = Sources(
                door=door,
                process=self.process,
                live=self._live,
                ask=self.elsewhere.ask,
                given_up=self._given_up,
            )
            view = await open_view(sources, user_id, session_id, limit)
            if view.run is not None and view.process != self.process:
                self.elsewhere.expect_end(user_id, session_id, view.run.run_id)
            yield view.result()
        except BaseException:
            self.hub.release(connection, session_id, None)
            raise
        self.hub.release(connection, session_id, Shown(view.chat_session.revision, view.run))

    def launch(self, begun: Begun) -> None:
        """Run a turn that was begun for this process."""
        run = Run(
            begun,
            show=self._show,
            announce=self._announce,
            feed=Feed(partial(self.elsewhere.tell, begun.turn.owner_id)),
            lease_time=self._lease,
        )
        if begun.turn.stop_requested:
            run.stop("stopped")
        before = self._runs.get(begun.session_id)
        self._runs[begun.session_id] = run
        user_id = begun.turn.owner_id
        self.custom(user_id, begun.session_id, "message.created", begun.message)
        self.custom(user_id, begun.session_id, "session.updated", begun.chat_session)
        self._keep(asyncio.create_task(self._carry_out(run, before)))

    async def carry(self, work: Coroutine[Any, Any, R]) -> R:
        """Await work that begins turns: it outlives its caller, and a draining waits for it."""
        return await asyncio.shield(self._keep(asyncio.create_task(work)))

    def _keep(self, task: asyncio.Task[R]) -> asyncio.Task[R]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _carry_out(self, run: Run, before: Run | None) -> None:
        try:
            if before is not None:
                # Somebody else has ended that turn. What it has in memory is shared with nobody.
                before.stop("lost")
                await before.ended.wait()
            async with self.pool.lease(run.turn.owner_id, run.begun.session_id) as lease:
                memory = TurnMemory(run.begun, lease)
                ending = await run.answer(lease.agent, memory)
                try:
                    ended = await run.store(ending, self.taker)
                except OwnershipLost:
                    self._lost(run)
                    return
                self._ended(run, run.ending or ending, ended)
                if ended.stored is not None:
                    await memory.absorb(ended.stored, goes_on=False)
        except Exception:
            logger.exception("turn %s failed outside of its answer", run.turn.run_id)
            if not run.ended.is_set():
                self._lost(run)

    def taker(self) -> str | None:
        """Return who takes the session's next turn: this process, unless it is stopping."""
        return self.process if self.accepting else None

    def _ended(self, run: Run, ending: Ending, ended: Ended) -> None:
        """Tell a stored end, and go on with the session's next turn."""
        self._leave(run)
        tally.count(run.begun.model, ending, lasted=run.lasted, first_word=run.first_word)
        for message in ended.messages:
            self._announce(run, message)
        run.stream.end(last_event(run.begun.session_id, run.turn.run_id, ending))
        self.custom(run.turn.owner_id, run.begun.session_id, "session.updated", ended.chat_session)
        if ended.following is not None:
            self.launch(ended.following)
        run.ended.set()

    def _lost(self, run: Run) -> None:
        self._leave(run)
        self.interrupted(run.turn)
        self._given_up.add(run.turn.run_id)
        run.ended.set()

    def _leave(self, run: Run) -> None:
        if self._runs.get(run.begun.session_id) is run:
            del self._runs[run.begun.session_id]

    def _show(self, run: Run, seq: int, event: BaseEvent) -> None:
        began = run.begun.chat_session.revision
        notification = Notification.of(run.begun.session_id, run.turn.run_id, seq, event, began=began)
        self.hub.deliver(run.turn.owner_id, notification)
        run.feed.add(notification)

    def _announce(self, run: Run, message: MessageShape) -> None:
        self.custom(run.turn.owner_id, run.begun.session_id, "message.created", message)

    def custom(self, user_id: int, session_id: UUID, name: str, value: Any) -> None:
        """Tell all the user's connections, in whichever process, one of the project's own facts."""
        told = fact(session_id, name, value)
        if self.elsewhere.news.is_news(user_id, told):
            self._tell(user_id, told)

    def _tell(self, user_id: int, told: Notification) -> None:
        self.hub.deliver(user_id, told)
        self.elsewhere.tell(user_id, told)

    def interrupted(self, turn: Turn) -> None:
        """Tell that nobody knows how far a turn came."""
        self._given_up.discard(turn.run_id)
        self.elsewhere.over(turn.run_id)
        event = RunErrorEvent(code="interrupted", message=INTERRUPTED)
        self._tell(turn.owner_id, Notification.of(turn.chat_session_id, turn.run_id, None, event))
