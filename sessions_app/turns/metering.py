"""Keep a running turn within what it holds of budgets: ask for more before each request, and as its answer grows.

The first request is paid for already where its prompt was estimated well: then nothing is asked of the database before
the first word. A turn that holds nothing, because no budget binds its user, asks nothing at all.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from django.db import Error

from sessions_app import database
from sessions_app.budgets import holding
from sessions_app.budgets.amounts import Cost, cost_of, counted, dollars_of
from sessions_app.budgets.estimates import ALLOWANCE, CAUTIOUS_BYTES_PER_TOKEN, LEAST_ANSWER, allowance_of
from sessions_app.budgets.holding import Held
from sessions_app.errors import TooMany
from sessions_app.llm.cache_ledger.requests import BYTES_PER_TOKEN
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.context import tokens_of
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.step_events import ReasoningDelta, StepEvent, StepResult, TextDelta, ToolCallArgs
from sessions_app.models import Turn
from sessions_app.turns.writing import Write, settled

logger = logging.getLogger(__name__)

SCARCE_ANSWER = 16_000
"""Tokens. Where more than these are left for an answer its provider is told no limit: few answers are as long."""
AHEAD = 256
"""Tokens that are always reserved beyond what has been said: so much more may be on its way when nothing is left."""
NO_WORD = "Nothing was left of your budget before the model said a word."


class Meter:
    """What one turn has used of what it holds. Lives as long as its run; not for two requests at once."""

    def __init__(self, turn: Turn, write: Write) -> None:
        self._turn = turn
        self._write = write
        self._held = holding.held_by(turn.held)
        self._used = Cost()
        self._uncounted = Cost()
        self._requests = 0
        # Of the request under way: the tokens of its prompt, those that its provider was told that the answer may have
        # (None: any number), and the answer's bytes.
        self._prompt = 0
        self._limit: int | None = None
        self._said = 0

    @property
    def uncounted(self) -> dict[str, Any]:
        """What the turn's result has to say of requests that nobody has counted."""
        return {
            "uncounted_tokens": self._uncounted.tokens,
            "uncounted_cost": dollars_of(self._uncounted.nanodollars),
        }

    async def afford(self, transcript: CachedTranscript) -> int | None:
        """Reserve what the next request may cost, and return how many tokens its answer may have; None for any number.

        Raises ProviderError where too little is left, OwnershipLost.
        """
        if self._held is None:
            return None
        self._requests, self._said = self._requests + 1, 0
        self._prompt = tokens_of(transcript.length, transcript.last)
        wanted = allowance_of(self._turn.sampling)
        if self._requests > 1 or not self._is_enough(self._held):
            try:
                self._held = await self._extend(wanted, min(LEAST_ANSWER, wanted))
            except TooMany as refused:
                raise ProviderError("budget", refused.text) from None
        longest = self._held.longest
        self._limit = longest if longest < SCARCE_ANSWER else None
        return self._limit

    def _is_enough(self, held: Held) -> bool:
        cost = cost_of(held.prices, self._prompt, held.answer)
        return all(cost.in_unit(each.unit) <= each.amount for each in held.of)

    async def _extend(self, answer: int, least: int) -> Held:
        door = database.of(self._turn.owner_id)
        return await settled(self._write(door, holding.extend, self._turn, self._used, self._prompt, answer, least))

    async def heard(self, event: StepEvent) -> bool:
        """Take in a piece of the answer; return whether there is enough left for more of it. Raises OwnershipLost."""
        if self._held is None:
            return True
        self._said += _size_of(event)
        if self._limit is not None and self._limit <= self._held.answer:
            return True  # its provider keeps to what is reserved
        if (least := self._tokens_said + AHEAD) <= self._held.answer:
            return True
        try:
            self._held = await self._extend(least + ALLOWANCE, least)
        except TooMany:
            return False
        except Error:
            logger.warning("turn %s goes on without more of its budgets", self._turn.run_id, exc_info=True)
        return True

    @property
    def _tokens_said(self) -> int:
        # Where little is left, an answer is not to end too early.
        per_token = CAUTIOUS_BYTES_PER_TOKEN if self._limit is None else BYTES_PER_TOKEN
        return int(self._said / per_token)

    def count(self, result: StepResult, *, is_whole: bool, is_cut: bool = False) -> StepResult:
        """Take in what a request has amounted to, and return it with the reason why it ended, where that was a budget.

        ``is_cut``: because there was not enough left. What nobody has counted is estimated.
        """
        if self._held is None:
            return result
        usage, missing = result.usage, Cost()
        if result.began and (not is_whole or not usage.input_tokens):
            prompt = 0 if usage.input_tokens else self._prompt
            missing = cost_of(
                self._held.prices, prompt, max(0, int(self._said / BYTES_PER_TOKEN) - usage.output_tokens)
            )
        self._uncounted += missing
        self._used += counted(usage, result.entry) + missing
        self._said = 0
        is_at_limit = self._limit is not None and result.finish == "length" and not self._wants_less
        return replace(result, finish="budget") if is_cut or is_at_limit else result

    @property
    def _wants_less(self) -> bool:
        """Whether the client wants a shorter answer than the budgets have left."""
        wanted = self._turn.sampling.get("max_tokens") if isinstance(self._turn.sampling, dict) else None
        return isinstance(wanted, int) and self._limit is not None and wanted <= self._limit


def _size_of(event: StepEvent) -> int:
    """Return the bytes that a piece of an answer adds to it."""
    match event:
        case TextDelta(text) | ReasoningDelta(text):
            return len(text.encode())
        case ToolCallArgs(_, delta):
            return len(delta.encode())
        case _:
            return 0
