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


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """The most that a token costs, in US dollars: of a prompt, whatever a cache does with it, and of its answer."""

    prompt: float
    answer: float


def token_prices(model: str, base_url: str = "") -> TokenPrices | None:
    """Return the most that tokens of a model cost, by its Pydantic AI model string; None where nobody knows.

    It is that of the server at ``base_url``, if given, else of the one that the environment names.
    """
    provider, _, name = model.partition(":")
    return _token_prices(provider, name, base_url or address_of(provider))


@functools.lru_cache(maxsize=256)
def _token_prices(provider: str, name: str, address: str) -> TokenPrices | None:
    size = _SMALL_PROMPT
    written = Usage(size, cache_write_tokens=size)
    prompts = [
        _listed(provider, name, address, usage)
        for usage in (Usage(size), written, replace(written, long_write_tokens=size))
    ]
    known, answer = (
        [price for price in prompts if price is not None],
        _listed(provider, name, address, Usage(output_tokens=size)),
    )
    return TokenPrices(float(max(known)) / size, float(answer) / size) if known and answer is not None else None


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
    provider, _, name = model.partition(":")
    price = _listed(provider, name, base_url or address_of(provider), Usage(_SMALL_PROMPT))
    return None if price is None else float(price * (1_000_000 // _SMALL_PROMPT))


def address_of(provider: str) -> str:
    """Return the address that the environment gives a provider's client, empty for its own."""
    return os.environ.get(_ADDRESSES.get(provider, ""), "")


def _total(usage: Usage, model: str, base_url: str) -> Decimal | None:
    total = _priced(usage, model, address=base_url)
    return None if total is None else total.quantize(DIGITS)


def _listed(provider: str, name: str, address: str, usage: Usage) -> Decimal | None:
    """Return the list price of so many tokens: of the server at an address, else of a provider by its name."""
    return _priced(usage, name, address=address) if address else _priced(usage, name, provider=provider)


def _priced(usage: Usage, model: str, *, address: str = "", provider: str = "") -> Decimal | None:
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
        if provider:
            return calc_price(counts, model, provider_id=provider).total_price
        return calc_price(counts, model, provider_api_url=address).total_price
    except LookupError:
        return None
    except ValueError:
        # Counts that contradict each other: the provider's own, but no price can be made of them.
        logger.warning("no price for what %s counted", model)
        return None
