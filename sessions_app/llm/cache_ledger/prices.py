"""What a request cost and what the cache saved, at genai-prices' list prices; nothing is guessed.

A price belongs to a provider's address and a model's name. A server of one's own that calls its model like one of
OpenAI's costs what it costs, so only addresses that genai-prices knows are priced.
"""

from __future__ import annotations

import functools
import logging
import os
from dataclasses import dataclass, replace
from decimal import Decimal

from sessions_app.llm.usage import Usage

logger = logging.getLogger(__name__)

DIGITS = Decimal("1e-9")
# Where a provider's own client looks for another address than its provider's.
_ADDRESSES = {
    "openai": "OPENAI_BASE_URL",
    "openai-chat": "OPENAI_BASE_URL",
    "openai-responses": "OPENAI_BASE_URL",
    "anthropic": "ANTHROPIC_BASE_URL",
}
# Prices may rise with a request's size: this one is of the smallest.
_SMALL_PROMPT = 1_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars: what was paid, and how much more the same tokens would have cost without a cache.

    `saved` is negative where more was written to a cache than was ever read from it.
    """

    cost: Decimal
    saved: Decimal


@dataclass(frozen=True, slots=True)
class CachePrices:
    """What a token of a prompt costs: read as new, found in a cache, written to it for minutes or for an hour."""

    fresh: float
    read: float
    short_write: float
    long_write: float


@functools.lru_cache(maxsize=256)
def cache_prices(model: str, base_url: str) -> CachePrices | None:
    """Return what a token costs by what a cache does with it, in US dollars; None where no price is known."""
    size = _SMALL_PROMPT
    counted = (
        Usage(size),
        Usage(size, cached_tokens=size),
        Usage(size, cache_write_tokens=size),
        Usage(size, cache_write_tokens=size, long_write_tokens=size),
    )
    totals = [_total(usage, model, base_url) for usage in counted]
    known = [float(total) / size for total in totals if total is not None]
    return CachePrices(*known) if len(known) == len(totals) else None


def price_of(usage: Usage, model: str, base_url: str) -> Price | None:
    """The price of one request (prices may depend on its size, so not of several at once); None where none is known."""
    cost = _total(usage, model, base_url)
    uncached = _total(replace(usage, cached_tokens=0, cache_write_tokens=0, long_write_tokens=0), model, base_url)
    return None if cost is None or uncached is None else Price(cost, uncached - cost)


def input_price(model: str, base_url: str = "") -> float | None:
    """Return what a million tokens of a prompt cost that no cache holds, for a Pydantic AI model string.

    It is that of the server at ``base_url``, if given. In US dollars; None where nobody knows.
    """
    from genai_prices import Usage as Priced
    from genai_prices import calc_price

    provider, _, name = model.partition(":")
    address = base_url or address_of(provider)
    prompt = Priced(input_tokens=_SMALL_PROMPT)
    try:
        if address:
            price = calc_price(prompt, name, provider_api_url=address)
        else:
            price = calc_price(prompt, name, provider_id=provider)
    except LookupError:
        return None
    return float(price.total_price * (1_000_000 // _SMALL_PROMPT))


def address_of(provider: str) -> str:
    """Return the address that the environment gives a provider's client, empty for its own."""
    return os.environ.get(_ADDRESSES.get(provider, ""), "")


def _total(usage: Usage, model: str, base_url: str) -> Decimal | None:
    from genai_prices import Usage as Priced
    from genai_prices import calc_price

    counts = Priced(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.long_write_tokens or None,
        output_tokens=usage.output_tokens,
    )
    try:
        return calc_price(counts, model, provider_api_url=base_url).total_price.quantize(DIGITS)
    except LookupError:
        return None
    except ValueError:
        # Counts that contradict each other: the provider's own, but no price can be made of them.
        logger.warning("no price for what %s counted", model)
        return None
