"""How much of a model's window a prompt takes, before its provider has counted it.

The estimate is the provider's own count of the session's last request, and what has been added since, or is no longer
there, by the bytes of a token in that request. Where nothing was counted yet, a token is taken for four bytes.
"""

from __future__ import annotations

from math import ceil

from sessions_app.llm.cache_ledger.requests import BYTES_PER_TOKEN, RequestRecord

RESERVE_SHARE, MAX_RESERVE = 8, 16_000
"""Of the window, an eighth is kept free for an answer, and as much for the summary that follows; at most so many
tokens."""

COUNTED_BYTES = 4_000
"""A shorter prompt says little of the bytes of a token: half of it may be what the provider adds."""

FEWEST_BYTES, MOST_BYTES = 1.0, 8.0
"""Bytes of a token that are believed."""


def reserve_of(window: int) -> int:
    """The tokens of a window that are kept free for an answer."""
    return min(window // RESERVE_SHARE, MAX_RESERVE)


def room_of(window: int) -> int:
    """The tokens that a prompt may have before its beginning is summarised: an answer and a summary still fit."""
    return window - 2 * reserve_of(window)


def least_window(prefix: int) -> int:
    """The smallest window in which a prompt has room for more than a prefix of so many tokens."""
    return min(ceil((prefix + 1) * RESERVE_SHARE / (RESERVE_SHARE - 2)), prefix + 1 + 2 * MAX_RESERVE)


def tokens_of(size: int, last: RequestRecord | None) -> int:
    """The tokens of a prompt of so many bytes, after a session's last request."""
    if last is None:
        return ceil(size / BYTES_PER_TOKEN)
    if last.tokens is None or not last.size:
        return ceil(size / last.bytes_per_token)
    return max(0, last.tokens + ceil((size - last.size) / last.bytes_per_token))


def bytes_of(tokens: int, last: RequestRecord | None) -> int:
    """The bytes of a prompt of so many tokens: what `tokens_of` takes for them."""
    if last is None:
        return int(tokens * BYTES_PER_TOKEN)
    if last.tokens is None or not last.size:
        return int(tokens * last.bytes_per_token)
    return last.size + int((tokens - last.tokens) * last.bytes_per_token)


def bytes_per_token(size: int, counted: int, last: RequestRecord | None) -> float:
    """The bytes of a token, by a prompt of `size` bytes in which a provider has `counted` so many."""
    if size < COUNTED_BYTES or not counted:
        return last.bytes_per_token if last else BYTES_PER_TOKEN
    return round(min(max(size / counted, FEWEST_BYTES), MOST_BYTES), 3)
