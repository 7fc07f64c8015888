"""Whether a provider still keeps what the last request of a session has left with it."""

from __future__ import annotations

from sessions_app.llm.cache_ledger.requests import Caching, RequestRecord, retention_of


def held_tokens(last: RequestRecord | None, caching: Caching, now: float) -> int:
    """Return how many tokens of a session's prompt its provider should still keep.

    `now` is in seconds since the epoch; a clock that was set back makes nothing older. Where a provider names no time
    to live, nobody knows when it forgets: it counts as keeping all.
    """
    if last is None:
        return 0
    retention = retention_of(last, caching)
    if retention is None or now - last.used_at <= retention:
        return last.kept
    return min(last.long, last.kept) if now <= last.long_until else 0


def is_warm(last: RequestRecord | None, caching: Caching, now: float) -> bool:
    """Tell whether a request of the session now should find most of its prompt in the provider's cache.

    False means cold for certain: nothing was kept, or the time to live of most of it has passed.
    """
    return last is not None and 0 < last.kept < 2 * held_tokens(last, caching, now)
