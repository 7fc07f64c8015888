"""Keep prompts warm over short pauses, where that pays and within the amount that the operator allows a day.

The process that has answered a session's last turn, and still has its transcript in memory, sends the prompt of that
once more just before its provider would forget it. The steps, each given up where it finds that the session went on:

1. A turn's end makes its session *waiting*, until its prompt is nearly forgotten. A turn that begins ends that.
2. Then, by how long pauses have been, it is judged whether a refresh pays.
3. What it can cost at most is reserved (``turn_store.refreshing``), the request sent, and what it did cost entered.
4. The session waits again: a longer pause is judged anew.

Nothing is asked of the database before step 3. What waits is kept in memory: a process that ends forgets it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from uuid import UUID

from agentcache import Stamp
from sessions_app import database
from sessions_app.llm.agent import Agent
from sessions_app.llm.cache_clock.refreshing import due_at
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.errors import ContentError
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.refreshing import refreshed
from sessions_app.llm.step_events import StepResult
from sessions_app.turn_store import refreshing
from sessions_app.turn_store.refreshing import Reservation
from sessions_app.turns import tally
from sessions_app.turns.memory import TurnLease, TurnMemory
from sessions_app.turns.pool import AgentPool
from sessions_app.turns.writing import settled

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Requests of one process, of all users."""
REQUEST_SECONDS = 15.0
"""How long a refresh may take: what comes later is of no use any more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session whose last request was ``last``, and whose stamp was ``seen`` when its turn had ended."""

    owner_id: int
    session_id: UUID
    seen: Stamp
    last: RequestRecord
    due: float


class Refresher:
    """Refreshes the prompts of one process's sessions. Lives as long as the process.

    ``budget`` (HERMES_WARM_BUDGET) are US dollars a day, for all processes together.
    """

    def __init__(self, pool: AgentPool, budget: Decimal) -> None:
        self._pool = pool
        self._budget = budget
        self._waiting: dict[UUID, Waiting] = {}
        self._under_way: dict[UUID, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._is_stopped = False

    @property
    def work(self) -> frozenset[asyncio.Task[None]]:
        """What is under way."""
        return frozenset(self._under_way.values())

    def wait_for(self, memory: TurnMemory) -> None:
        """Take a session whose turn has ended and was taken in."""
        last = memory.last_request
        if last is not None and not self._is_stopped and (due := due_at(last)) is not None:
            self._waiting[memory.session_id] = Waiting(memory.owner_id, memory.session_id, memory.seen, last, due)

    def forget(self, session_id: UUID) -> None:
        """Give a session up: a turn of it begins."""
        self._waiting.pop(session_id, None)
        if (task := self._under_way.get(session_id)) is not None:
            task.cancel()

    async def refresh_due(self) -> None:
        """Begin what is due. Called from time to time, at least every few seconds."""
        now = time.time()
        for waiting in [one for one in self._waiting.values() if one.due <= now]:
            del self._waiting[waiting.session_id]
            self._under_way[waiting.session_id] = task = asyncio.create_task(self._carry_out(waiting))
            task.add_done_callback(partial(self._end, waiting.session_id))

    def _end(self, session_id: UUID, _: asyncio.Task[None]) -> None:
        del self._under_way[session_id]

    async def stop(self) -> None:
        """Give up what is under way and what waits, and take nothing more."""
        self._is_stopped = True
        self._waiting.clear()
        for task in (tasks := list(self.work)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, waiting: Waiting) -> None:
        try:
            async with self._places:
                with self._pool.lease_present(waiting.owner_id, waiting.session_id) as lease:
                    last = await self._refresh(waiting, lease) if lease else None
        except (ProviderError, ContentError) as error:
            logger.warning("a prompt could not be kept warm: %s", error.text)
        except TimeoutError:
            logger.warning("a prompt could not be kept warm within %d seconds", REQUEST_SECONDS)
        except Exception:
            logger.exception("a prompt could not be kept warm")
        else:
            if last is not None and (due := due_at(last)) is not None:
                self._waiting[waiting.session_id] = replace(waiting, last=last, due=due)

    async def _refresh(self, waiting: Waiting, lease: TurnLease) -> RequestRecord | None:
        """Refresh a prompt if that pays; return the session's record with it, None where it is given up."""
        prompt = _prompt_of(waiting, lease)
        most = await lease.agent.refresh_price(prompt) if prompt else None
        if prompt is None or most is None:
            return None
        owner_id, session_id, seen = waiting.owner_id, waiting.session_id, waiting.seen
        door = database.of(owner_id)
        reserved = await door.write(refreshing.reserve, owner_id, session_id, seen, prompt.model, most, self._budget)
        return await self._send(lease.agent, prompt, waiting.last, reserved) if reserved else None

    async def _send(
        self, agent: Agent, prompt: CachedTranscript, last: RequestRecord, reserved: Reservation
    ) -> RequestRecord | None:
        door, step = database.of(reserved.owner_id), agent.refresh(prompt)
        try:
            async with asyncio.timeout(REQUEST_SECONDS), step:
                async for _ in step:
                    pass
        except ProviderError as error:
            # A token is often no word, and then the answer is none; what counts is whether it was counted.
            if step.result.entry is None:
                await door.write(refreshing.release, reserved, error.code)
                raise
        finally:
            stored = await settled(self._settle(reserved, step.result, last, prompt))
        return stored

    async def _settle(
        self, reserved: Reservation, made: StepResult, last: RequestRecord, prompt: CachedTranscript
    ) -> RequestRecord | None:
        if made.entry is None or prompt.last is None:
            return None
        tally.count_request(prompt.model, made.usage, made.entry)
        this = refreshed(last, prompt.last)
        return await database.of(reserved.owner_id).write(refreshing.settle, reserved, made, this)


def _prompt_of(waiting: Waiting, lease: TurnLease) -> CachedTranscript | None:
    """What the session's last request was made of, where this process still has it in memory, and it still stands."""
    baseline, transcript = lease.baseline(), lease.held()
    if baseline is None or transcript is None or baseline.stamp != waiting.seen:
        return None
    prompt = transcript.last_sent()
    if prompt is not None:
        prompt.last = waiting.last
    return prompt
