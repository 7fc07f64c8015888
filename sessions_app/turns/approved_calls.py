"""Make the calls that a person has approved, before their turn's first request to the model.

1. The calls are marked as begun, in one committed transaction: from here on nobody makes them again.
2. They are made, all at once. Each result is stored as soon as it is there.

Where the turn ends in between, however it does, the transaction that stores its end says of each call that is left
whether it was made (``turn_store.approving.close_calls``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sessions_app import database
from sessions_app.conversations import lost_calls
from sessions_app.conversations.transcript import NewMessage
from sessions_app.llm.agent import Agent
from sessions_app.models import Turn
from sessions_app.realtime.run_events import RunStream
from sessions_app.turn_store import approving
from sessions_app.turn_store.approving import ApprovedCall
from sessions_app.turn_store.ending import store_result
from sessions_app.turns import calls
from sessions_app.turns.memory import TurnMemory
from sessions_app.turns.writing import Write, settled


class ApprovedCalls:
    """The approved calls of one turn. Lives as long as its run."""

    def __init__(self, turn: Turn, agent: Agent, memory: TurnMemory, stream: RunStream, write: Write) -> None:
        self._turn = turn
        self._agent = agent
        self._memory = memory
        self._stream = stream
        self._write = write

    async def make(self, approved: Sequence[ApprovedCall]) -> None:
        """Make calls and store their results. Raises OwnershipLost."""
        if not approved:
            return
        door = database.of(self._turn.owner_id)
        await settled(self._write(door, approving.begin_calls, self._turn, approved))
        made = [asyncio.create_task(self._make(each)) for each in approved]
        try:
            for ended in asyncio.as_completed(made):
                await settled(self._store(*await ended))
        finally:
            for task in made:
                task.cancel()
            await asyncio.gather(*made, return_exceptions=True)

    async def _make(self, approved: ApprovedCall) -> tuple[ApprovedCall, NewMessage]:
        if approved.obstacle:
            return approved, lost_calls.result_row(approved.call, approved.obstacle)
        return approved, await calls.make(self._turn, self._agent, self._memory, self._stream, approved.call)

    async def _store(self, approved: ApprovedCall, row: NewMessage) -> None:
        door = database.of(self._turn.owner_id)
        stored = await self._write(door, store_result, self._turn, approved, row)
        self._stream.call_result(approved.call.id, row.public_id, row.text)
        await self._memory.go_on(stored)
