"""What turns and sessions have cost: tokens, money, and why a provider's cache had less than it should.

The ledger as it is stored with the turns, read back: for one turn, and for a session.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import TruncDate
from django.utils.timezone import make_aware

from sessions_app.conversations.ledger_schemas import (
    GuardShape,
    LedgerShape,
    MissCountShape,
    MissShape,
    RetentionCountShape,
    RetentionShape,
    TotalsShape,
)
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.cache_ledger.diagnoses import sentence
from sessions_app.llm.cache_ledger.entries import Entry
from sessions_app.llm.usage import Usage
from sessions_app.models import BESIDE, ChatSession, Turn

# In the order of Usage's own fields.
COUNTS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


def usage_of(turn: Turn) -> Usage:
    """Return what a turn's provider has counted."""
    return Usage(*(getattr(turn, name) for name in COUNTS))


def columns_of(provider: str, model: str, usage: Usage, entry: Entry | None) -> dict[str, Any]:
    """Return what a turn's row says of its cost."""
    columns: dict[str, Any] = {"provider": provider, "model": model}
    columns |= {name: getattr(usage, name) for name in COUNTS}
    if entry is not None:
        columns |= {
            "prefix_digest": entry.prefix,
            "expected_tokens": entry.expected,
            "miss": entry.miss or "",
            "told_miss": entry.told,
            "cost": entry.cost,
            "saved": entry.saved,
            "retention": entry.retention,
            "retention_reason": entry.reason,
        }
    return columns


def entry_of(turn: Turn) -> Entry | None:
    """Return a turn's line in the ledger; None where its provider has counted nothing."""
    if not turn.prefix_digest:
        return None
    miss = Cause(turn.miss) if turn.miss else None
    kept = turn.retention, turn.retention_reason, turn.told_miss
    return Entry(turn.prefix_digest, turn.expected_tokens, miss, turn.cost, turn.saved, *kept)


def usage_by_session(session_ids: Iterable[UUID]) -> dict[UUID, Usage]:
    """Return what all turns of each session have cost together (one query); none for no turn."""
    sums = {name: Sum(name) for name in COUNTS}
    rows = Turn.objects.filter(chat_session__in=list(session_ids)).values_list("chat_session").annotate(**sums)
    return {session_id: Usage(*counts) for session_id, *counts in rows}


def totals(session_id: UUID) -> TotalsShape:
    """Return what the counted turns of a session have cost together, and why they had misses.

    What is beside them is in it. One query.
    """
    causes: dict[Cause | None, Totals] = defaultdict(Totals)
    retentions: Counter[int] = Counter()
    for (miss, retention), summed in _summed(Turn.objects.filter(chat_session=session_id), "miss", "retention"):
        causes[Cause(miss) if miss else None] += summed
        if retention is not None and summed.turns:
            retentions[retention] += summed.turns
    total = sum(causes.values(), Totals())
    return TotalsShape(
        turns=total.turns,
        **_tokens(total.usage),
        expected_tokens=total.expected,
        cost=float(total.cost) if total.priced else None,
        saved=float(total.saved) if total.priced else None,
        unpriced_turns=total.unpriced,
        misses=_misses({cause: found.turns for cause, found in causes.items() if cause}),
        retentions=[
            RetentionCountShape(seconds=seconds, turns=turns)
            for seconds, turns in sorted(retentions.items(), key=lambda one: (-one[1], one[0]))
        ],
    )


def _tokens(usage: Usage) -> dict[str, int]:
    """What a provider counted, as clients see it."""
    return {
        "fresh_tokens": usage.fresh_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def _misses(turns: dict[Cause, int]) -> list[MissCountShape]:
    """How many turns each cause had, the most frequent first."""
    causes = sorted(turns, key=lambda cause: (-turns[cause], cause))
    return [MissCountShape(cause=cause, reason=cause.sentence, turns=turns[cause]) for cause in causes]


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
        told_reason=sentence(entry.told) or None,
        retention=None if entry.retention is None else RetentionShape(seconds=entry.retention, reason=entry.reason),
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """What several lines of the ledger have cost together: those of ``turns``, and what is beside these.

    Of the ``expected`` tokens the ``missed`` ones were not found in the provider's cache. ``cost`` and ``saved`` are US
    dollars of the ``priced`` lines; the ``unpriced`` ones, whose price is not known, are in neither.
    """

    turns: int = 0
    expected: int = 0
    missed: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: Decimal = Decimal(0)
    saved: Decimal = Decimal(0)
    priced: int = 0
    unpriced: int = 0

    def __add__(self, other: Totals) -> Totals:
        """Return the sum of both."""
        return Totals(
            self.turns + other.turns,
            self.expected + other.expected,
            self.missed + other.missed,
            self.usage + other.usage,
            self.cost + other.cost,
            self.saved + other.saved,
            self.priced + other.priced,
            self.unpriced + other.unpriced,
        )


@dataclass(frozen=True, slots=True)
class Posting:
    """What the turns of one day, profile (by primary key) and cause (None: they missed nothing) have cost.

    Sessions whose profile was removed have None. So has what is ``beside`` the turns: its kind, empty for turns.
    """

    day: date
    profile: int | None
    beside: str
    cause: Cause | None
    totals: Totals


def postings(since: datetime, owner_id: int | None = None) -> list[Posting]:
    """Return what the turns asked for since then have cost, by days of the present time zone; of all users, or of one.

    One query, whose rows are few: sums over days, profiles and causes are made of them. It reads by the index of
    ``created_at``, so it costs what the period holds, whatever is older.
    """
    keys = (
        TruncDate("created_at"),
        Case(When(kind__in=BESIDE, then=None), default=_of_session("profile")),
        Case(When(kind__in=BESIDE, then=F("kind")), default=Value("")),
        "miss",
    )
    turns = Turn.objects.filter(created_at__gte=since)
    return [
        Posting(day, key, beside, Cause(miss) if miss else None, totals)
        for (day, key, beside, miss), totals in _summed(
            turns if owner_id is None else turns.filter(owner=owner_id), *keys
        )
    ]


def by_user(turns: QuerySet[Turn]) -> list[tuple[str, int | None, Totals]]:
    """Return what the turns of each user have cost, by profiles (by primary key, None for one that was removed).

    What is beside the turns is its user's. One query; its rows are users and the profiles that they have used.
    """
    return [(user, key, totals) for (user, key), totals in _summed(turns, _user_name(), _of_session("profile"))]


def spent_on(day: date, owner_id: int | None = None) -> list[dict[str, Any]]:
    """Return who has spent what on which profile on a day of the present time zone: a row for each, by their names.

    Of all users, or of one. ``kind`` is that of what is beside the turns, empty for turns.
    """
    begin = make_aware(datetime.combine(day, time.min))
    turns = Turn.objects.filter(created_at__gte=begin, created_at__lt=begin + timedelta(days=1))
    turns = turns if owner_id is None else turns.filter(owner=owner_id)
    counted: Any = turns.exclude(prefix_digest="", uncounted_tokens=0).order_by()
    keys: dict[str, Any] = {
        "user": _user_name(),
        "named": _of_session("profile__name"),
        "beside": Case(When(kind__in=BESIDE, then=F("kind")), default=Value("")),
    }
    sums = {
        "turns_": Count("pk", filter=~Q(kind__in=BESIDE)),
        **{f"{name}_": Sum(name) for name in (*COUNTS, "uncounted_tokens", "uncounted_cost")},
        "cost_": Sum("cost", default=Decimal(0)),
        "unpriced_": Count("pk", filter=Q(cost=None)),
    }
    return list(counted.values(**keys).annotate(**sums).order_by("user", "named", "beside"))


def _of_session(column: str) -> Subquery:
    """A column of a turn's session, or of what that leads to.

    Here and below by a subquery: a join would let SQLite, once it has statistics, begin with all the rows there are.
    """
    return Subquery(ChatSession.objects.filter(pk=OuterRef("chat_session")).values(column))


def _user_name() -> Subquery:
    users = get_user_model()
    return Subquery(users._default_manager.filter(pk=OuterRef("owner")).values(users.USERNAME_FIELD))


def by_cause(turns: QuerySet[Turn]) -> dict[Cause | None, Totals]:
    """Return what the turns have cost, by why the cache had less than expected; None where it had not (one query)."""
    return {Cause(miss) if miss else None: totals for (miss,), totals in _summed(turns, "miss")}


def _summed(turns: QuerySet[Turn], *keys: Any) -> list[tuple[tuple[Any, ...], Totals]]:
    """Return the totals of those of the turns that the ledger has, for each value of the keys."""
    fewer = Q(expected_tokens__gt=F("cached_tokens"))
    sums = {
        "turns_": Count("pk", filter=~Q(kind__in=BESIDE)),
        "expected_": Sum("expected_tokens"),
        "missed_": Sum(F("expected_tokens") - F("cached_tokens"), filter=fewer, default=0),
        "cost_": Sum("cost", default=Decimal(0)),
        "saved_": Sum("saved", default=Decimal(0)),
        "priced_": Count("cost"),
        "unpriced_": Count("pk", filter=Q(cost=None)),
        **{f"{name}_": Sum(name) for name in COUNTS},
    }
    rows = turns.exclude(prefix_digest="").order_by().values_list(*keys).annotate(**sums)
    width, figures = len(keys), len(sums) - len(COUNTS)
    split = ((row[:width], row[width : width + figures], row[width + figures :]) for row in rows)
    return [
        (key, Totals(turns, expected, missed, Usage(*counts), cost, saved, priced, unpriced))
        for key, (turns, expected, missed, cost, saved, priced, unpriced), counts in split
    ]
