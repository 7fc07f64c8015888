"""What turns and sessions have cost: tokens, money, and why a provider's cache had less than it should.

The ledger as it is stored with the turns, read back: for one turn, for the messages of a page, for a session.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum

from sessions_app.agents.ledger import Cause, Entry
from sessions_app.agents.pieces import Usage
from sessions_app.models import Message, Turn
from sessions_app.shapes import GuardShape, LedgerShape, MissCountShape, MissShape, TotalsShape

# In the order of Usage's own fields.
COUNTS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


def usage_of(turn: Turn) -> Usage:
    """Return what a turn's provider has counted."""
    return Usage(*(getattr(turn, name) for name in COUNTS))


def entry_of(turn: Turn) -> Entry | None:
    """Return a turn's line in the ledger; None where its provider has counted nothing."""
    if not turn.prefix_digest:
        return None
    miss = Cause(turn.miss) if turn.miss else None
    return Entry(turn.prefix_digest, turn.expected_tokens, miss, turn.cost, turn.saved)


def usage_by_session(session_ids: Iterable[UUID]) -> dict[UUID, Usage]:
    """Return what all turns of each session have cost together (one query); none for no turn."""
    sums = {name: Sum(name) for name in COUNTS}
    rows = Turn.objects.filter(chat_session__in=list(session_ids)).values_list("chat_session").annotate(**sums)
    return {session_id: Usage(*counts) for session_id, *counts in rows}


def totals(session_id: UUID) -> TotalsShape:
    """Return what the counted turns of a session have cost together, and why they had misses (one query)."""
    sums = {name: Sum(name) for name in (*COUNTS, "expected_tokens", "cost", "saved")}
    counted = Turn.objects.filter(chat_session=session_id).exclude(prefix_digest="")
    # The counts come first: from the sums on, the same names mean those.
    grouped = counted.values("miss").annotate(turns=Count("pk"), priced=Count("cost"), **sums)
    rows: list[dict[str, Any]] = [{**row} for row in grouped]
    usage = Usage(*(sum(row[name] for row in rows) for name in COUNTS))
    turns = sum(row["turns"] for row in rows)
    return TotalsShape(
        turns=turns,
        **_tokens(usage),
        expected_tokens=sum(row["expected_tokens"] for row in rows),
        cost=_dollars(row["cost"] for row in rows),
        saved=_dollars(row["saved"] for row in rows),
        unpriced_turns=turns - sum(row["priced"] for row in rows),
        misses=_misses({row["miss"]: row["turns"] for row in rows}),
    )


def _tokens(usage: Usage) -> dict[str, int]:
    """What a provider counted, in the parts that do not overlap."""
    return {
        "fresh_tokens": usage.fresh_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.said_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def _dollars(amounts: Iterable[Decimal | None]) -> float | None:
    """The sum of the amounts that are known; None where none is."""
    known = [amount for amount in amounts if amount is not None]
    return float(sum(known)) if known else None


def _misses(turns: dict[str, int]) -> list[MissCountShape]:
    """How many turns each cause had, the most frequent first."""
    causes = sorted((cause for cause in turns if cause), key=lambda cause: (-turns[cause], cause))
    return [MissCountShape(cause=Cause(cause), reason=Cause(cause).sentence, turns=turns[cause]) for cause in causes]


def by_message(messages: Collection[Message]) -> dict[int, LedgerShape]:
    """Return, by primary key, the lines of the turns that ended with one of the messages (one query)."""
    turns = {message.turn_id for message in messages if message.role == "assistant" and message.turn_id}
    ended = Turn.objects.filter(pk__in=turns, ended_at__isnull=False).defer("text", "checkpoint")
    lines = {turn.answer_id: line for turn in ended if (line := line_of(turn))}
    return {message.pk: lines[message.public_id] for message in messages if message.public_id in lines}


def line_of(turn: Turn) -> LedgerShape | None:
    """Return a turn's line in the ledger as clients see it, from its row."""
    entry = entry_of(turn)
    return ledger_shape(turn.provider, turn.model, usage_of(turn), entry, guard_of(turn)) if entry else None


def guard_of(turn: Turn) -> GuardShape | None:
    """Return what the guard decided for a turn, from its row; None where it was not asked."""
    if not turn.guard_agent:
        return None
    # The columns hold what the guard's own shape held.
    decided: dict[str, Any] = {"agent": turn.guard_agent, "transcript": turn.guard_transcript}
    return GuardShape(**decided, reason=turn.guard_reason)


def ledger_shape(provider: str, model: str, usage: Usage, entry: Entry, guard: GuardShape | None) -> LedgerShape:
    """Return a line of the ledger as clients see it."""
    return LedgerShape(
        provider=provider,
        model=model,
        **_tokens(usage),
        expected_tokens=entry.expected,
        miss=MissShape(cause=entry.miss, reason=entry.miss.sentence) if entry.miss else None,
        cost=None if entry.cost is None else float(entry.cost),
        saved=None if entry.saved is None else float(entry.saved),
        guard=guard,
    )
