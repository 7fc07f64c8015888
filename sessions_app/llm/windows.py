"""How many tokens a model's window holds, as far as the library that knows prices knows it."""

from __future__ import annotations

import functools

from sessions_app.llm.cache_ledger.prices import address_of


def window_of(model: str, base_url: str = "") -> int | None:
    """The window of a Pydantic AI model string, at a server of its own if given; None where nobody knows."""
    provider, _, name = model.partition(":")
    return _known(provider, name, base_url or address_of(provider)) if name else None


@functools.lru_cache(maxsize=256)
def _known(provider: str, name: str, address: str) -> int | None:
    from genai_prices.data_snapshot import get_snapshot

    try:
        if address:
            _, model = get_snapshot().find_provider_model(name, None, None, address)
        else:
            _, model = get_snapshot().find_provider_model(
                name, None, provider.removesuffix("-chat").removesuffix("-responses"), None
            )
    except LookupError:
        return None
    return model.context_window
