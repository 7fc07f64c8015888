"""What a request is expected to cost, with the next one of its session, by for how long its prompt is kept.

The model is Anthropic's price list. A request pays for what it finds, for what it writes, and for the rest. A prompt is
found as a whole by the last place that is still kept, whatever earlier places are; so to keep a whole prompt for an
hour costs no more than to write its new tokens for an hour.

What comes after the next request costs the same whatever is chosen now, so it is left out. So is what nobody comes
back to within the hour: it is written anew in any case.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.llm.cache_clock.pauses import Bins, share_within
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.prices import CachePrices

MULTIPLES = CachePrices(fresh=1.0, read=0.1, short_write=1.25, long_write=2.0)
"""Anthropic's prices in those of a token that no cache holds: for a model or an address whose prices nobody knows."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request's prompt, in tokens: all of it, and how much of it is `found` in the cache.

    `long` of them are kept for `long_left` seconds more, because they were written for an hour.
    """

    tokens: float
    found: float = 0.0
    long: float = 0.0
    long_left: float = 0.0

    def sound(self) -> Prompt:
        """The same within what can be: no part larger than the whole."""
        tokens = max(0.0, self.tokens)
        long = min(max(0.0, self.long), tokens) if self.long_left > 0 else 0.0
        return Prompt(tokens, min(max(long, self.found), tokens), long, max(0.0, self.long_left) if long else 0.0)


def expected_costs(prompt: Prompt, prices: CachePrices, expected: Bins) -> dict[Retention, float]:
    """Return what this request and the next one cost for this prompt, by what is chosen; in the unit of the prices.

    `expected` are the shares of pauses (`pauses.shares`).
    """
    prompt = prompt.sound()
    short, hour = (share_within(expected, seconds) for seconds in (Retention.SHORT, Retention.LONG))
    kept = min(hour, max(short, share_within(expected, prompt.long_left)))
    new, rest = prompt.tokens - prompt.found, prompt.tokens - prompt.long
    read, again = prices.read * prompt.tokens, prices.short_write * prompt.tokens
    partly = prices.read * prompt.long + prices.short_write * rest
    found = prices.read * prompt.found
    return {
        Retention.SHORT: found
        + prices.short_write * new
        + short * read
        + (kept - short) * partly
        + (hour - kept) * again,
        Retention.LONG: found + prices.long_write * new + hour * read,
        Retention.NONE: prices.fresh * prompt.tokens + hour * again,
    }
