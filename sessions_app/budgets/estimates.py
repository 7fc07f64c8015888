"""What a turn's first request may cost, estimated without reading its conversation.

The prompt is the session's last one with its answer, as its provider has counted them, and what is new. Where nobody
has counted the last one, it is taken for what every request begins with. What was not counted is taken for more tokens
than it usually has, by fewer bytes of each, so that few prompts are larger than their estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from sessions_app.llm.cache_ledger.prices import TokenPrices, token_prices
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import FileReference
from sessions_app.models import ChatSession, Turn

CAUTIOUS_BYTES_PER_TOKEN = 3
"""Of English text, and of code, a token has about four."""
OVERHEAD = 32
"""Tokens that a provider adds to a message."""
IMAGE = 1_600
"""Tokens of a picture: what the largest are that providers take without making them smaller."""
ALLOWANCE = 1_000
"""Tokens that are reserved for an answer at first."""
LEAST_ANSWER = 100
"""Tokens of an answer that is worth its prompt: where fewer are left, nothing is asked."""


@dataclass(frozen=True, slots=True)
class Need:
    """The tokens of a prompt, and those that its answer is allowed at first; ``prices`` are None where nobody knows."""

    prompt: int
    answer: int
    prices: TokenPrices | None


def need_of(turn: Turn, chat_session: ChatSession, size: int) -> Need:
    """Return what a turn needs with which so many bytes of text are new to the model, those of documents included."""
    profile = turn.profile or chat_session.profile
    images = sum(len(part.images) for part in known(turn.parts) if isinstance(part, FileReference))
    new = cautious_tokens(size) + OVERHEAD + images * IMAGE
    prices = token_prices(profile.effective_model, profile.base_url) if profile else None
    return Need(_tokens_before(chat_session) + new, allowance_of(turn.sampling), prices)


def _tokens_before(chat_session: ChatSession) -> int:
    last = RequestRecord.from_json(chat_session.last_request)
    if last is not None and last.tokens is not None:
        return last.tokens
    return cautious_tokens(len(chat_session.frozen_prefix.encode()))


def cautious_tokens(size: int) -> int:
    """Return the tokens that a text of so many bytes is taken for."""
    return ceil(size / CAUTIOUS_BYTES_PER_TOKEN)


def allowance_of(sampling: Any) -> int:
    """Return the tokens that are reserved for an answer at first: no more than a client wants of it."""
    wanted = sampling.get("max_tokens") if isinstance(sampling, dict) else None
    return min(wanted, ALLOWANCE) if isinstance(wanted, int) and wanted > 0 else ALLOWANCE
