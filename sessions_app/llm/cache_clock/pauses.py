"""How long the pauses between requests have been: a histogram of few bins, which forgets, and what is made of it.

The pauses of a session count first, then those of its user's earlier sessions, then what is usual. Each takes the place
of the next as it grows. A session's last request has no pause behind it: once its user begins another session it counts
as one that nobody came back to.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite
from typing import TypeAlias

Bins: TypeAlias = tuple[float, ...]
"""Weights of pauses by their length; empty where none is known. At most `BINS` numbers of three decimals."""

EDGES = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 14_400.0, 86_400.0)
"""Seconds at which bins end. The times to live of providers are among them."""
BINS = len(EDGES) + 1
"""The last bin holds longer pauses, and those that nobody came back from."""
USUAL: Bins = (0.10, 0.16, 0.16, 0.14, 0.14, 0.06, 0.05, 0.02, 0.03, 0.03, 0.03, 0.08)
"""Shares of pauses where nothing is known of a user: most are below five minutes."""

SESSION_WEIGHT, USER_WEIGHT = 20.0, 60.0
"""Pauses that are remembered: with each new one, older ones lose weight."""
BELIEF = 4.0
"""As many pauses as this weigh as much as what is assumed without them."""
NEVER: Bins = (*(0.0,) * (BINS - 1), USER_WEIGHT)
"""The pauses of a request that no other one of its session follows."""
_DECIMALS = 3


def sound(stored: Sequence[float]) -> Bins:
    """Return stored bins, or none in the place of what are none."""
    if len(stored) != BINS or not all(0 <= weight <= USER_WEIGHT for weight in stored):
        return ()
    return tuple(stored)


def with_pause(bins: Bins, seconds: float) -> Bins:
    """Return a session's bins with one pause more. What a clock that was set back makes of it is none."""
    if not isfinite(seconds) or seconds < 0:
        return bins
    place = next((number for number, edge in enumerate(EDGES) if seconds <= edge), BINS - 1)
    return _bounded(_sum(bins, _one(place)), SESSION_WEIGHT)


def with_session(user: Bins, session: Bins) -> Bins:
    """Return a user's bins with those of a session that nobody goes on with for now."""
    return _bounded(_sum(_sum(user, session), _one(BINS - 1)), USER_WEIGHT)


def shares(session: Bins, user: Bins) -> Bins:
    """Return how likely the next pause is in each bin: the sum is 1."""
    return _believed(session, _believed(user, USUAL))


def share_within(expected: Bins, seconds: float) -> float:
    """Return how likely a pause is that is not longer: of a bin that ends later, the part before."""
    total, start = 0.0, 0.0
    for share, edge in zip(expected, (*EDGES, inf), strict=True):
        if seconds < edge:
            part = 0.0 if edge == inf else max(0.0, seconds - start) / (edge - start)
            return min(1.0, total + share * part)
        total, start = total + share, edge
    return min(1.0, total)


def middle(expected: Bins) -> tuple[float, float]:
    """Return between which seconds the middle half of the pauses is; the second is infinite for those without end."""
    places = [_place(expected, quarter) for quarter in (0.25, 0.75)]
    return (0.0, *EDGES)[places[0]], (*EDGES, inf)[places[1]]


def _place(expected: Bins, share: float) -> int:
    total = 0.0
    for place, one in enumerate(expected):
        total += one
        if total >= share:
            return place
    return BINS - 1


def _believed(bins: Bins, otherwise: Bins) -> Bins:
    if not bins:
        return otherwise
    total = sum(bins) + BELIEF
    return tuple((weight + BELIEF * share) / total for weight, share in zip(bins, otherwise, strict=True))


def _one(place: int) -> Bins:
    return tuple(float(number == place) for number in range(BINS))


def _sum(one: Bins, other: Bins) -> Bins:
    return tuple(map(sum, zip(one, other, strict=True))) if one and other else one or other


def _bounded(bins: Bins, most: float) -> Bins:
    factor = min(1.0, most / sum(bins))
    return tuple(round(weight * factor, _DECIMALS) for weight in bins)
