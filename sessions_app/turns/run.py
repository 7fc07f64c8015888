"""One running turn: ask the model, show what it says, run its tools, store what it brought.

A run belongs to the process and to no socket. It has two layers. The inner task talks to
provider and tools and may be cancelled at any await: by ``stop``, by the end of the process,
by the loss of the turn. The outer one never is: it waits for the inner, then stores how it
ended. What the inner layer commits, it commits with its traces in memory in one piece that
cancellation cannot split (``settled``).
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from math import inf
from typing import Literal

from ag_ui.core import BaseEvent
from django.db import DataError, IntegrityError

from sessions_app import database
from sessions_app.conversations import approvals
from sessions_app.conversations.approvals import AskedCall
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.conversations.transcript import NewMessage, OwnershipLost
from sessions_app.conversations.turn_results import INTERNAL, TurnResult, reductions
from sessions_app.llm.agent import Agent
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import ToolCall, tool_results
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.step_events import StepEvent, StepResult
from sessions_app.llm.tools.sources import Standing
from sessions_app.models import MessageRole, TurnKind, TurnStatus
from sessions_app.realtime.feed import Feed
from sessions_app.realtime.run_events import RunStream
from sessions_app.turn_store import approving
from sessions_app.turn_store.claimed_turn import ClaimedTurn
from sessions_app.turn_store.ending import FinishedTurn, Stored, begin_calls, end, store_step
from sessions_app.turns import calls as calling
from sessions_app.turns.approved_calls import ApprovedCalls
from sessions_app.turns.compacting import Compactor
from sessions_app.turns.guard_span import guard_span
from sessions_app.turns.memory import TurnMemory
from sessions_app.turns.metering import NO_WORD, Meter
from sessions_app.turns.output import TurnOutput
from sessions_app.turns.writing import Write, settled

logger = logging.getLogger(__name__)

Reason = Literal["stopped", "interrupted", "lost", "forbidden"]

# A model that calls tools for ever is stopped here.
MAX_STEPS = 20
_RETRY_FIRST, _RETRY_LONGEST = 0.1, 2.0
# What is said of values that the database will never take. Anything else may be over in a moment.
REFUSALS = (DataError, IntegrityError, OverflowError, TypeError, ValueError)


class Run:
    """One running turn of this process.

    ``show`` gets the numbered events but for the last, which comes with the fact that the turn ended; ``write`` is
    the runner's; ``give_way`` returns when the rest of an answer may follow its first word; ``feed`` is what other
    processes see. ``began`` is the cursor of the fact that the turn began.
    ``checkpoint`` is what was last kept of the answer. ``ended`` is set once the turn's end is stored, or lost.
    ``lease_time`` (seconds) bounds how long an end that the database does not take is tried.
    """

    def __init__(
        self,
        begun: ClaimedTurn,
        *,
        began: int,
        show: Callable[[Run, int, BaseEvent], None],
        write: Write,
        give_way: Callable[[], Awaitable[None]],
        feed: Feed,
        lease_time: float,
    ) -> None:
        self.begun = begun
        self.turn = begun.turn
        self.began = began
        self._started = asyncio.get_running_loop().time()
        self._write = write
        self._give_way = give_way
        self.feed = feed
        self._lease_time = lease_time
        self.stream = RunStream(
            begun.session_id,
            begun.turn.run_id,
            begun.turn.answer_id,
            lambda seq, event: show(self, seq, event),
        )
        self.checkpoint: RunShape = self.stream.shape()
        self.ended = asyncio.Event()
        self.ending: TurnResult | None = None
        self.takes_next = True
        self._reason: Reason | None = None
        self._work: asyncio.Task[None] | None = None
        self._output = TurnOutput(begun.turn.run_id)
        self._meter = Meter(begun.turn, write)

    @property
    def lasted(self) -> float:
        """Seconds since the turn began in this process."""
        return asyncio.get_running_loop().time() - self._started

    @property
    def first_word(self) -> float | None:
        """Seconds from there to the first word; None where there was none yet."""
        spoke_at = self.stream.spoke_at
        return None if spoke_at is None else spoke_at - self._started

    @property
    def is_lost(self) -> bool:
        """Whether somebody else has ended the turn, or will: what it still says is discarded."""
        return self._reason == "lost"

    def stop(self, reason: Reason) -> None:
        """End the turn early; the text so far is kept (unless the turn is ``lost``)."""
        if self._reason is not None:
            return  # once is enough, and a second cancellation would break off what is settling
        self._reason = reason
        if self._work is not None:
            self._work.cancel()

    async def answer(self, agent: Agent, memory: TurnMemory) -> TurnResult:
        """Carry the turn out and return how it ended, which is not stored yet. Never raises."""
        self._output.guarded = memory.guarded
        self._work = asyncio.create_task(self._steps(agent, memory))
        if self._reason is not None:
            self._work.cancel()
        await asyncio.wait([self._work])
        if not self._work.cancelled() and isinstance(self._work.exception(), OwnershipLost):
            self._reason = "lost"
        ending = self._output.result_of(self._work, self._reason)
        ending = replace(ending, request=memory.last_request, **self._meter.uncounted)
        if self._reason != "lost":
            ending = replace(ending, last_seq=self.stream.close(memory.guarded.model_dump()))
        self.ending = ending
        return ending

    async def store(self, ending: TurnResult, process: Callable[[], str | None]) -> FinishedTurn:
        """Store the end, trying again while the database is away; of one that it refuses, what it takes.

        ``ending`` afterwards is what was stored. ``process`` returns who takes the next turn; None
        when this process is stopping, and then it is tried for a lease's time only. Raises OwnershipLost, and what
        the database said where it takes nothing at all.
        """
        clock = asyncio.get_running_loop().time
        delay, give_up = _RETRY_FIRST, inf
        less = reductions(ending)
        self.ending = next(less)
        while True:
            if self._reason == "lost":
                raise OwnershipLost
            if process() is None:
                give_up = min(give_up, clock() + self._lease_time)
            try:
                return await self._store(self.ending, process)
            except OwnershipLost:
                raise
            except Exception as error:
                if isinstance(error, REFUSALS):
                    self.ending = next(less, None)
                if self.ending is None or clock() + delay > give_up:
                    self.ending = ending
                    raise
                logger.exception("the end of turn %s could not be stored", self.turn.run_id)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _RETRY_LONGEST)

    async def _store(self, ending: TurnResult, process: Callable[[], str | None]) -> FinishedTurn:
        next_process = process() if self.takes_next else None
        door = database.of(self.turn.owner_id)
        return await self._write(door, end, self.turn, self.stream.message_id, ending, process=next_process)

    def failed(self) -> TurnResult:
        """Return the end of a turn that failed by a fault of ours before it could answer."""
        self.ending = replace(
            self._output.result(TurnStatus.FAILED, "internal", INTERNAL), last_seq=self.stream.close(None)
        )
        return self.ending

    async def _steps(self, agent: Agent, memory: TurnMemory) -> None:
        with guard_span(memory):
            await memory.obtain()
        self.stream.started(memory.guarded.model_dump())
        if self.begun.refused:
            raise ProviderError("provider", self.begun.refused)
        compactor = Compactor(self.begun, agent, memory, self.stream, self._output, self._meter, self._write)
        if self.turn.kind == TurnKind.COMPACTION:
            await compactor.summarise_all()
            return
        if self.begun.asks_approval and not await self._resume(agent, memory):
            return
        await compactor.make_room_beforehand()
        for _ in range(MAX_STEPS):
            await compactor.make_room()
            result = await self._step_that_fits(agent, memory, compactor)
            if not result.calls:
                return
            asked = await self._asked(agent, memory, result.calls)
            if asked or any(call.client for call in result.calls):
                await self._leave(agent, memory, result, asked)
                return
            await self._use_tools(agent, memory, result)
        raise ProviderError("provider", f"The model called tools {MAX_STEPS} times in a row.")

    async def _step_that_fits(self, agent: Agent, memory: TurnMemory, compactor: Compactor) -> StepResult:
        """Carry a step out; one that the provider refuses for its length once more, with room made for it."""
        try:
            return await self._step(agent, memory)
        except ProviderError as error:
            if error.code != "context" or self.stream.text:
                raise
            await compactor.make_more_room(error)
        return await self._step(agent, memory)

    async def _step(self, agent: Agent, memory: TurnMemory) -> StepResult:
        step = agent.step(memory.transcript, await self._meter.afford(memory.transcript))
        is_whole = is_cut = False
        try:
            async with step:
                async for event in step:
                    if is_cut := not await self._take(event):
                        break
            is_whole = not is_cut
        finally:
            result = self._meter.count(step.result, is_whole=is_whole, is_cut=is_cut)
            self._output.add(result)
        if is_cut and not result.text.strip():
            raise ProviderError("budget", NO_WORD)
        return result

    async def _take(self, event: StepEvent) -> bool:
        """Show a piece of the answer, and return whether there is enough left for more of it.

        Behind the turn's first word the rest gives way to turns that start.
        """
        had_spoken = self.stream.spoke_at is not None
        self.stream.show(event)
        if not await self._meter.heard(event):
            return False
        if not had_spoken and self.stream.spoke_at is not None:
            await self._give_way()
        return True

    async def _use_tools(self, agent: Agent, memory: TurnMemory, result: StepResult) -> None:
        answer = NewMessage(
            MessageRole.ASSISTANT,
            result.text,
            result.parts,
            public_id=self.stream.message_id,
        )
        await self._begin_calls(agent, result, result.calls)
        rows = [answer, *await self._results(agent, memory, result.calls)]
        await settled(self._store_step(memory, result, rows))

    async def _begin_calls(self, agent: Agent, result: StepResult, calls: Sequence[ToolCall]) -> None:
        """Note the answer before calls of it are made that may change something, so that none is made twice."""
        if any(agent.has_effects(call) for call in calls):
            door = database.of(self.turn.owner_id)
            await settled(self._write(door, begin_calls, self.turn, result.text, result.parts))
            self._output.begin_calls()

    async def _resume(self, agent: Agent, memory: TurnMemory) -> bool:
        """Make the calls that a person has approved; return whether the turn can go on.

        It cannot where other calls of the answer still wait, for somebody else.
        """
        if self.turn.kind != TurnKind.RESUMPTION:
            return True
        resumption = await database.of(self.turn.owner_id).read(approving.resumption, self.turn)
        for row in resumption.refused:
            for refused in tool_results(known(row.parts)):
                self.stream.call_result(refused.id, row.public_id, row.text)
        await ApprovedCalls(self.turn, agent, memory, self.stream, self._write).make(resumption.calls)
        self._output.leave((), resumption.asked)
        return resumption.is_complete

    async def _asked(self, agent: Agent, memory: TurnMemory, calls: Sequence[ToolCall]) -> tuple[AskedCall, ...]:
        """Return the calls that a person must approve."""
        own = [call for call in calls if not call.client]
        standings = await asyncio.gather(*(agent.standing(memory.transcript, call) for call in own))
        asked = [call for call, standing in zip(own, standings, strict=True) if standing is Standing.ASK]
        if not asked:
            return ()
        door, names = database.of(self.turn.owner_id), {call.name for call in asked}
        approved = await door.read(approvals.standing, self.begun.session_id, names)
        return tuple(approvals.asked(call) for call in asked if call.name not in approved)

    async def _leave(self, agent: Agent, memory: TurnMemory, result: StepResult, asked: Sequence[AskedCall]) -> None:
        """End the turn with an answer whose calls wait, for the client or a person: the others are run, and told.

        All of it is stored as the turn's end. A later turn goes on with what was waited for.
        """
        waiting = {each.tool_call_id for each in asked}
        own = [call for call in result.calls if not call.client and call.id not in waiting]
        await self._begin_calls(agent, result, own)
        rows = await self._results(agent, memory, own)
        self._output.leave(rows, asked)
        for call, row in zip(own, rows, strict=True):
            self.stream.call_result(call.id, row.public_id, row.text)

    async def _store_step(self, memory: TurnMemory, result: StepResult, rows: list[NewMessage]) -> None:
        next_answer = uuid.uuid4()
        so_far = self._output.result(TurnStatus.RUNNING)
        so_far = replace(so_far, request=memory.last_request, **self._meter.uncounted)
        door = database.of(self.turn.owner_id)
        seq = self.stream.shape().seq
        stored: Stored = await self._write(door, store_step, self.turn, rows, next_answer, so_far, seq)
        for call, message in zip(result.calls, stored.messages[1:], strict=True):
            self.stream.call_result(call.id, message.id, message.text)
        self.stream.next_message(next_answer)
        self._output.begin_answer()
        await memory.go_on(stored)

    async def _results(self, agent: Agent, memory: TurnMemory, calls: Sequence[ToolCall]) -> list[NewMessage]:
        """Run the host's own tools, and return the rows of their results."""
        made = [calling.make(self.turn, agent, memory, self.stream, call) for call in calls]
        return await asyncio.gather(*made)
