"""What turns have cost, those included whose chats, or users, are gone: what the operator's figures are made of.

Turns keep their part of the ledger in their rows. When these go, a trigger adds it to ``KeptSpending``, in the same
transaction: so each turn is counted once, in one place or the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet, Sum

from sessions_app.conversations.spending import COUNTS, Posting, Totals
from sessions_app.conversations.spending import postings as postings_of_turns
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.usage import Usage
from sessions_app.models import AgentProfile, KeptSpending

_KEYS = ("day", "profile_id", "beside", "miss")
REMOVED_USER = "removed users"
_FIGURES = ("turns", "expected_tokens", "missed_tokens", "cost", "saved", "priced", "unpriced")


def postings(since: datetime, owner_id: int | None = None) -> list[Posting]:
    """Return what was spent since then, by days of UTC; of deleted turns from the day of that moment on.

    Of all users, or of one.
    """
    return [*postings_of_turns(since, owner_id), *_kept(since.date(), date.max, owner_id)]


def by_owner(first: date, last: date) -> list[tuple[str, int | None, Totals]]:
    """Return what deleted turns of some days have cost, by their users' names and by profiles."""
    found = _summed(first, last, keys=("owner_id", "profile_id"))
    names = user_names({owner_id for (owner_id, _), _ in found})
    return [(names[owner_id], profile, totals) for (owner_id, profile), totals in found]


def kept_on(day: date, owner_id: int | None = None) -> list[dict[str, Any]]:
    """Return what deleted turns of a day have cost, as ``spending.spent_on`` tells it of others."""
    named = {"turns_": "turns", "cost_": "cost", "unpriced_": "unpriced"}
    sums = named | {f"{name}_": name for name in (*COUNTS, "uncounted_tokens", "uncounted_cost")}
    keys = ("owner_id", "profile_id", "beside")
    rows: Any = _rows(day, day, owner_id).values(*keys).annotate(**{key: Sum(name) for key, name in sums.items()})
    found = list(rows)
    names = user_names({row["owner_id"] for row in found})
    profiles = dict(AgentProfile.objects.values_list("pk", "name")) if found else {}
    return [{**row, "user": names[row["owner_id"]], "named": profiles.get(row["profile_id"])} for row in found]


def user_names(owner_ids: set[int]) -> dict[int, str]:
    """Return the names of users, by their primary keys; of those that are gone that they are."""
    users = get_user_model()
    known = users._default_manager.filter(pk__in=owner_ids).values_list("pk", users.USERNAME_FIELD)
    return dict.fromkeys(owner_ids, REMOVED_USER) | dict(known)


def kept_by_day(first: date, last: date) -> dict[date, Totals]:
    """Return what deleted turns of some days have cost (one query)."""
    sums: dict[date, Totals] = defaultdict(Totals)
    for (day, *_), totals in _summed(first, last):
        sums[day] += totals
    return sums


def _kept(first: date, last: date, owner_id: int | None = None) -> list[Posting]:
    found = _summed(first, last, owner_id)
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


def _summed(
    first: date, last: date, owner_id: int | None = None, keys: Sequence[str] = _KEYS
) -> list[tuple[tuple[Any, ...], Totals]]:
    """Return the sums of some days, by day, profile, what is beside turns, and miss, or by other keys.

    It costs by these days' rows.
    """
    counted = _rows(first, last, owner_id).exclude(priced=0, unpriced=0)
    rows = counted.values_list(*keys).annotate(**{f"{name}_": Sum(name) for name in (*_FIGURES, *COUNTS)})
    width = len(keys)
    return [(tuple(row[:width]), _totals(*row[width:])) for row in rows]


def _rows(first: date, last: date, owner_id: int | None) -> QuerySet[KeptSpending]:
    days = KeptSpending.objects.filter(day__gte=first, day__lte=last).order_by()
    return days if owner_id is None else days.filter(owner_id=owner_id)


def _totals(
    turns: int, expected: int, missed: int, cost: Decimal, saved: Decimal, priced: int, unpriced: int, *counts: int
) -> Totals:
    return Totals(turns, expected, missed, Usage(*counts), Decimal(cost), Decimal(saved), priced, unpriced)
