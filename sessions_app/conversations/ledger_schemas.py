"""The shapes on the wire of what turns have cost: tokens, prices, what the guard decided, why caches missed."""

from __future__ import annotations

from typing import Literal

from sessions_app.conversations.shape import Shape
from sessions_app.llm.cache_ledger.causes import Cause


class GuardShape(Shape):
    """What the guard decided for a turn: was the agent reused, could its memory be trusted, why."""

    agent: Literal["reused", "built"]
    transcript: Literal["kept", "read"]
    reason: str


class MissShape(Shape):
    """Why the provider's cache had fewer tokens than expected; ``reason`` says the cause to a person."""

    cause: Cause
    reason: str


class RetentionShape(Shape):
    """For how many seconds the provider was to keep the conversation (0: not at all); ``reason`` says why."""

    seconds: int
    reason: str


class TokensShape(Shape):
    """What the provider counted.

    ``fresh_tokens``, ``cache_write_tokens`` and ``cached_tokens`` do not overlap: together they are the prompt.
    ``output_tokens`` is all that the model wrote; ``reasoning_tokens`` of them were its reasoning.
    ``expected_tokens`` should have been cached.
    """

    fresh_tokens: int
    cache_write_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    expected_tokens: int


class LedgerShape(TokensShape):
    """A turn's line in the ledger.

    ``miss`` says why tokens that were expected were not cached, or that it was the session's first turn. ``cost`` and
    ``saved`` are US dollars, null where no price is known; ``saved`` is against the same tokens without a cache.
    ``told_reason`` is what the provider itself says of a miss, null where it says nothing.
    ``retention`` is the choice of the turn's last request, null where its provider leaves none.
    """

    provider: str
    model: str
    miss: MissShape | None
    told_reason: str | None
    cost: float | None
    saved: float | None
    guard: GuardShape | None
    retention: RetentionShape | None


class MissCountShape(MissShape):
    """How many turns had a miss of one cause."""

    turns: int


class RetentionCountShape(Shape):
    """How many turns ended with the conversation to be kept for so many seconds."""

    seconds: int
    turns: int


class TotalsShape(TokensShape):
    """What a session's turns have cost together, as far as their providers have counted.

    ``turns`` are the counted ones. ``cost`` and ``saved`` are US
    dollars of the turns that have a known price, null where none has; ``unpriced_turns`` of the counted ones have none
    and are in neither. ``misses`` are the causes, ``retentions`` the times that were chosen, the most frequent first.
    """

    turns: int
    cost: float | None
    saved: float | None
    unpriced_turns: int
    misses: list[MissCountShape]
    retentions: list[RetentionCountShape]
