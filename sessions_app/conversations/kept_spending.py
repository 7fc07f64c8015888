"""What turns have cost, those included whose chats, or users, are gone: what the operator's figures are made of.

Turns keep their part of the ledger in their rows. When these go, a trigger adds it to ``KeptSpending``, in the same
transaction: so each turn is counted once, in one place or the other.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Sum

from sessions_app.conversations.spending import COUNTS, Posting, Totals
from sessions_app.conversations.spending import postings as postings_of_turns
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.usage import Usage
from sessions_app.models import AgentProfile, KeptSpending

_KEYS = ("day", "profile_id", "beside", "miss")
_FIGURES = ("turns", "expected_tokens", "missed_tokens", "cost", "saved", "priced", "unpriced")


def postings(since: datetime) -> list[Posting]:
    """Return what was spent since then, by days of UTC; of deleted turns from the day of that moment on."""
    return [*postings_of_turns(since), *_kept(since.date(), date.max)]


def kept_by_day(first: date, last: date) -> dict[date, Totals]:
    """Return what deleted turns of some days have cost (one query)."""
    sums: dict[date, Totals] = defaultdict(Totals)
    for (day, *_), totals in _summed(first, last):
        sums[day] += totals
    return sums


def _kept(first: date, last: date) -> list[Posting]:
    found = _summed(first, last)
    # Only those that are still there have a name.
    named = {profile for (_, profile, _, _), _ in found if profile is not None}
    profiles = set(AgentProfile.objects.filter(pk__in=named).values_list("pk", flat=True)) if named else set()
    return [
        Posting(
            day,
            profile if profile in profiles and not beside else None,
            beside,
            Cause(miss) if miss else None,
            totals,
        )
        for (day, profile, beside, miss), totals in found
    ]


def _summed(first: date, last: date) -> list[tuple[tuple[date, int | None, str, str], Totals]]:
    """Return the sums of some days by day, profile, what is beside turns, and miss. It costs by these days' rows."""
    kept = KeptSpending.objects.filter(day__gte=first, day__lte=last).order_by().values_list(*_KEYS)
    rows = kept.annotate(**{f"{name}_": Sum(name) for name in (*_FIGURES, *COUNTS)})
    return [
        (
            (day, profile, beside, miss),
            Totals(turns, expected, missed, Usage(*counts), Decimal(cost), Decimal(saved), priced, unpriced),
        )
        for day, profile, beside, miss, turns, expected, missed, cost, saved, priced, unpriced, *counts in rows
    ]
