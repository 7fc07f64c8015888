"""Is it worth its price to send a prompt again, only so that its provider keeps it for longer?

A *refresh* is made when the time to live of a prompt is nearly over. It costs what the prompt costs to be read from the
cache. Where the session's next request comes after that time, and within the time that the refresh has added, it saves
the difference between a prompt that is found and one that is not. Each refresh is judged alone, from how long the
pause has lasted by then: so there are as many as pay, and none of them counts on another one.
"""

from __future__ import annotations

from sessions_app.llm.cache_clock.costs import GROWTH, Ahead, ahead_of
from sessions_app.llm.cache_clock.pauses import Bins, share_within, shares, sound
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.prices import CachePrices
from sessions_app.llm.cache_ledger.requests import RequestRecord

MARGIN_SECONDS = 20.0
"""How long before its end a prompt is refreshed: so long may the request take to be read."""


def due_at(last: RequestRecord) -> float | None:
    """Return when to judge whether the prompt of a session's last request is refreshed; None where it never is.

    In seconds since the epoch. Only a prompt that is kept for minutes has a pause that a refresh can bridge.
    """
    if last.retention != Retention.SHORT or not last.kept:
        return None
    return last.used_at + Retention.SHORT - MARGIN_SECONDS


def pays(last: RequestRecord, prices: CachePrices, now: float) -> bool:
    """Tell whether to refresh a prompt now costs less than it is expected to save."""
    end = last.used_at + Retention.SHORT
    if due_at(last) is None or not last.used_at <= now < end:
        return False
    expected = shares(sound(last.pauses), sound(last.user_pauses))
    likely = _within(expected, now - last.at, end - last.at, now + Retention.SHORT - last.at)
    return likely * _saved(last, ahead_of(prices, expected, GROWTH), now) > prices.read


def _within(expected: Bins, so_far: float, start: float, end: float) -> float:
    """How likely a pause of which `so_far` seconds have passed ends between these seconds."""
    left = 1 - share_within(expected, so_far)
    return (share_within(expected, end) - share_within(expected, start)) / left if left > 0 else 0.0


def _saved(last: RequestRecord, ahead: Ahead, now: float) -> float:
    """What each token of the prompt costs less from the next request on; of what an hour keeps anyway, nothing."""
    long = last.long / last.kept if last.long_until >= now + Retention.SHORT else 0.0
    return (1 - min(1.0, long)) * (ahead.cold - ahead.short)
