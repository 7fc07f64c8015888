"""For how long a provider is to keep a prompt: the choice that is expected to cost least, with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from sessions_app.llm.cache_clock.costs import Prompt, expected_costs
from sessions_app.llm.cache_clock.pauses import Bins, middle, share_within
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.prices import CachePrices

_CHEAPEST = {
    Retention.NONE: "no cache is cheaper",
    Retention.SHORT: "five minutes' cache is cheaper",
    Retention.LONG: "an hour's cache is cheaper",
}
_UNITS = ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))


@dataclass(frozen=True, slots=True)
class Choice:
    """For how long a prompt is to be kept, and why, for a person."""

    retention: Retention
    reason: str


def choose(prompt: Prompt, prices: CachePrices, expected: Bins) -> Choice:
    """Return the cheapest choice; of equal ones the one that costs least now but still keeps the prompt."""
    costs = expected_costs(prompt, prices, expected)
    retention = min(costs, key=costs.__getitem__)
    return Choice(retention, f"{_pauses(expected)}: {_CHEAPEST[retention]}")


def choose_for_last(held: int) -> Choice:
    """Return the choice for a prompt that is sent once more and never again, of which `held` tokens are still kept.

    Only a request that has its prompt kept finds one; what is written by that is no use.
    """
    if held:
        return Choice(Retention.SHORT, "read for the last time: kept, to find what is kept already")
    return Choice(Retention.NONE, "read for the last time: no cache is cheaper")


def _pauses(expected: Bins) -> str:
    """What pauses are expected, and how many of them decide between the times to live."""
    low, high = middle(expected)
    between = share_within(expected, Retention.LONG) - share_within(expected, Retention.SHORT)
    return f"{_range(low, high)} ({between:.0%} between 5 minutes and 1 hour)"


def _range(low: float, high: float) -> str:
    if high == inf:
        return f"pauses above {_length(low)}" if low else "pauses of any length"
    return f"pauses of {_length(low)} to {_length(high)}" if low else f"pauses below {_length(high)}"


def _length(seconds: float) -> str:
    size, unit = next(one for one in _UNITS if seconds >= one[0])
    number = round(seconds / size)
    return f"{number} {unit}{'s' if number != 1 else ''}"
