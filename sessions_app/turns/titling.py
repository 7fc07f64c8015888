"""Have titles made for sessions that have had their first answer, beside the turns and out of their way.

What waits is kept in memory: a process that dies loses titles and nothing else. Users take turns (``scheduling``), so
who begins many chats at once has nobody else's title wait for more than one of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, replace
from uuid import UUID

from sessions_app import database
from sessions_app.conversations import titles
from sessions_app.errors import NotFound
from sessions_app.llm.content.errors import ContentError
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.providers import Providers
from sessions_app.llm.step_events import StepResult
from sessions_app.llm.titles import READ_CHARACTERS, SETTINGS, title_step
from sessions_app.models import TurnStatus
from sessions_app.realtime.publishing import Publisher
from sessions_app.scheduling.queue import FairQueue
from sessions_app.session_store import titling
from sessions_app.turns import tally
from sessions_app.turns.run import Run

logger = logging.getLogger(__name__)

# Requests at once, and sessions that wait: of all users, and of one. What finds no place keeps its first words.
AT_ONCE, WAITING, WAITING_PER_USER = 2, 1_000, 20
# A session with more messages has had its first answer before.
FEW_MESSAGES = 20


@dataclass(frozen=True, slots=True)
class Untitled:
    """A session that is called by its first ``words``, with what was asked and answered first."""

    owner_id: int
    session_id: UUID
    turn_id: int
    words: str
    asked: str
    answered: str


class TitleMaker:
    """Asks ``model`` (HERMES_TITLE_MODEL) for titles. Lives from the process's first answer until ``stop``."""

    def __init__(self, model: str, publisher: Publisher) -> None:
        self._model = model
        self._publisher = publisher
        self._providers = Providers(SETTINGS)
        self._waiting: FairQueue[Untitled] = FairQueue()
        self._of_user: Counter[int] = Counter()
        self._workers: set[asyncio.Task[None]] = set()

    @property
    def work(self) -> frozenset[asyncio.Task[None]]:
        """What is under way."""
        return frozenset(self._workers)

    def offer(self, run: Run) -> None:
        """Take a turn whose end is stored; if its answer may be its session's first, a title will be made."""
        begun, ending = run.begun, run.ending
        if ending is None or ending.status != TurnStatus.COMPLETE or begun.old.message_count > FEW_MESSAGES:
            return
        if begun.message is None or not ending.text.strip() or begun.endpoint is not None:
            return  # what was said to a server of the operator's own goes to no other one
        owner_id = run.turn.owner_id
        if len(self._waiting) >= WAITING or self._of_user[owner_id] >= WAITING_PER_USER:
            return
        texts = begun.message.text[:READ_CHARACTERS], ending.text[:READ_CHARACTERS]
        self._waiting.put(owner_id, Untitled(owner_id, begun.session_id, run.turn.pk, begun.chat_session.title, *texts))
        self._of_user[owner_id] += 1
        # One that has ended just now takes nothing more.
        if sum(not worker.done() for worker in self._workers) < AT_ONCE:
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def stop(self) -> None:
        """Give up what is under way and what waits."""
        for worker in (workers := list(self._workers)):
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await self._providers.aclose()

    async def _work(self) -> None:
        while self._waiting:
            untitled = self._waiting.take()
            self._of_user[untitled.owner_id] -= 1
            if not self._of_user[untitled.owner_id]:
                del self._of_user[untitled.owner_id]
            try:
                await self._make(untitled)
            except NotFound:
                pass  # it was deleted meanwhile
            except Exception:
                logger.exception("a title could not be made")

    async def _make(self, untitled: Untitled) -> None:
        owner_id, session_id, words = untitled.owner_id, untitled.session_id, untitled.words
        door = database.of(owner_id)
        if await door.write(titling.claim, owner_id, session_id, words, untitled.turn_id):
            made = await self._ask(untitled)
            # Before the transaction, so that nobody waits for a lock while Markdown is read.
            title = await asyncio.to_thread(titles.cleaned, made.text)
            await self._publisher.write(door, titling.store, owner_id, session_id, words, title, made)
            tally.count_request(self._model, made.usage, made.entry)

    async def _ask(self, untitled: Untitled) -> StepResult:
        """Return what the model said; of a request that failed, what it cost without a word.

        It is always the first request of its conversation, so that nothing was to be found in a cache is no miss.
        """
        step = title_step(self._providers, self._model, untitled.asked, untitled.answered)
        try:
            async with step:
                async for _ in step:
                    pass
        except (ProviderError, ContentError) as error:
            logger.warning("no title was made: %s", error.text)
            said = replace(step.result, text="")
        else:
            said = step.result
        return replace(said, entry=replace(said.entry, miss=None) if said.entry else None)
