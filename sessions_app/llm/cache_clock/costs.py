"""What a request is expected to cost, with those of its session after it, by for how long its prompt is kept.

The model is Anthropic's price list. A request pays for what it finds, for what it writes, and for the rest. A prompt is
found as a whole by the last place that is still kept, whatever earlier places are; so to keep a whole prompt for an
hour costs no more than to write its new tokens for an hour. What is found stays found: so a choice is worth something
beyond the next request, and those after it are counted in, as if each chose best and paused as is expected now.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.llm.cache_clock.pauses import Bins, share_within
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.prices import CachePrices

MULTIPLES = CachePrices(fresh=1.0, read=0.1, short_write=1.25, long_write=2.0)
"""Anthropic's prices in those of a token that no cache holds: for a model or an address whose prices nobody knows."""
HORIZON = 30
"""Requests that are counted in."""
GROWTH = 0.05
"""What a request adds to its prompt, as a share of it, where that is not known."""


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

    @property
    def growth(self) -> float:
        """What is new, as a share of the prompt."""
        return 1 - self.found / self.tokens if self.found else GROWTH


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a session's requests from its next one on cost, for each token of its prompt.

    By what the next one finds: nothing (`cold`), all by a place that is kept for minutes (`short`), or for an hour.
    """

    cold: float = 0.0
    short: float = 0.0
    long: float = 0.0


@dataclass(frozen=True, slots=True)
class _Odds:
    """How likely the next request comes within minutes, within the hour, and at all."""

    short: float
    hour: float
    ever: float

    def after(self, kept: float, ahead_kept: float, ahead: Ahead) -> float:
        """What is to come, if a next request so likely finds the prompt, and else nothing."""
        return kept * ahead_kept + (self.ever - kept) * ahead.cold


def ahead_of(prices: CachePrices, expected: Bins, growth: float) -> Ahead:
    """Return what is to come if each request chooses best. `expected` are the shares of pauses (`pauses.shares`)."""
    odds, ahead = _odds(expected), Ahead()
    for _ in range(HORIZON):
        ahead = _one_more(prices, odds, growth, ahead)
    return ahead


def _one_more(prices: CachePrices, odds: _Odds, growth: float, ahead: Ahead) -> Ahead:
    """What is to come with one request more before it."""
    none = prices.fresh + odds.after(0.0, 0.0, ahead)
    short, long = odds.after(odds.short, ahead.short, ahead), odds.after(odds.hour, ahead.long, ahead)
    found = prices.read * (1 - growth)
    # A place that is kept for an hour stays one, if what is new is kept for minutes; that may have to be written again.
    behind = long + (odds.hour - odds.short) * (prices.short_write - prices.read) * growth
    return Ahead(
        cold=min(none, prices.short_write + short, prices.long_write + long),
        short=found + min(prices.short_write * growth + short, prices.long_write * growth + long),
        long=found + min(prices.short_write * growth + behind, prices.long_write * growth + long),
    )


def expected_costs(prompt: Prompt, prices: CachePrices, expected: Bins) -> dict[Retention, float]:
    """Return what this request and the session's later ones cost, by what is chosen; in the unit of the prices."""
    prompt, odds = prompt.sound(), _odds(expected)
    ahead = ahead_of(prices, expected, prompt.growth)
    new, found = prompt.tokens - prompt.found, prices.read * prompt.found
    kept = min(odds.hour, max(odds.short, share_within(expected, prompt.long_left)))
    long = prompt.long / prompt.tokens if prompt.tokens else 0.0
    # Within minutes all is found, and the hour's place stays with it; later, as long as that one is kept, its part.
    soon = long * ahead.long + (1 - long) * ahead.short
    later = long * ahead.long + (1 - long) * ahead.cold
    short = odds.short * soon + (kept - odds.short) * later + (odds.ever - kept) * ahead.cold
    return {
        Retention.SHORT: found + prices.short_write * new + prompt.tokens * short,
        Retention.LONG: found + prices.long_write * new + prompt.tokens * odds.after(odds.hour, ahead.long, ahead),
        Retention.NONE: prompt.tokens * (prices.fresh + odds.after(0.0, 0.0, ahead)),
    }


def _odds(expected: Bins) -> _Odds:
    short, hour = (share_within(expected, seconds) for seconds in (Retention.SHORT, Retention.LONG))
    return _Odds(short, hour, max(hour, 1 - expected[-1]))
