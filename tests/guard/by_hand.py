"""A turn that a test carries out itself, step by step, by what the launcher calls: so something can happen between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from agentcache import Baseline
from sessions_app import database
from sessions_app.conversations.turn_results import TurnResult
from sessions_app.models import TurnStatus
from sessions_app.turn_store import asking
from sessions_app.turn_store.claimed_turn import ClaimedTurn
from sessions_app.turn_store.ending import FinishedTurn, end
from sessions_app.turns.memory import TurnLease, TurnMemory
from sessions_app.turns.rebaseline import rebaseline
from tests.turns.host import Host


@dataclass
class TurnByHand:
    """A turn that was begun, and whose lease lives."""

    host: Host
    begun: ClaimedTurn
    lease: TurnLease
    memory: TurnMemory

    async def end(self) -> FinishedTurn:
        """Store an answer and the turn's end, and tell them."""
        result = TurnResult(TurnStatus.COMPLETE, "hi", guarded=self.memory.guarded)
        turn = self.begun.turn
        return await self.host.runner.publisher.write(database, end, turn, turn.answer_id, result, process=None)

    async def rebaseline(self, ended: FinishedTurn) -> Baseline | None:
        """Await what is awaited after the end; the baseline as it is then."""
        await rebaseline(self.memory, ended.stored, self.host.runner.publisher)
        return self.lease.baseline()


@asynccontextmanager
async def turn_by_hand(host: Host, session_id: UUID) -> AsyncIterator[TurnByHand]:
    """Begin a turn, in a process that does nothing by the clock: no provider is asked."""
    process = host.runner.process
    asked = await host.runner.publisher.write(
        database, asking.ask, host.user_id, session_id, "hello", None, process=process, accepting=True
    )
    assert asked.begun is not None
    async with host.runner.pool.lease(host.user_id, session_id) as lease:
        yield TurnByHand(host, asked.begun, lease, TurnMemory(asked.begun, lease))
