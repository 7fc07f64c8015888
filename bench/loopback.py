"""The same choices over the wire: this host's own requests to a loopback Anthropic that forgets by a clock.

It speaks Anthropic's protocol and counts by itself. Both clocks are set forward, so a month takes seconds.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

from bench.metered import PREFIX_TOKENS
from bench.people import Chat, People
from bench.report import Figure, Section
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.prices import CachePrices
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.tools.registry import site_tools
from tests.llm.clocked import Clocked, clocked, dollars
from tests.llm.talking import Session
from tests.providers.fixtures import Provider
from tests.providers.tokens import BYTES_PER_TOKEN

CHATS = 4
"""Chats of a month that are played."""
AFTER_SECONDS = 1200.0
"""Of the time after a chat's last answer, when nobody knows yet that it was the last: what it costs counts too."""
_WORD = "word "

Month = Sequence[tuple[float, Chat]]


async def compared(people: Sequence[People], prices: CachePrices, seed: int) -> Section:
    """A line for each way to pause: what the provider has charged."""
    return Section(
        f"Over the wire, by the provider's count ({CHATS} chats of each)",
        [await _figure(one, list(one.month(random.Random(seed)))[:CHATS], prices) for one in people],  # nosec B311
    )


async def _figure(people: People, month: Month, prices: CachePrices) -> Figure:
    ours, short, long = [await _bill(month, prices, always) for always in (None, Retention.SHORT, Retention.LONG)]
    warm = await _bill(month, prices, None, keeps_warm=True)
    beside = f"${ours:.3f}; kept warm ${warm:.3f}; always 5 minutes ${short:.3f}, always an hour ${long:.3f}"
    return Figure(people.name.partition(" (")[0], f"{ours / min(short, long):.3f} x", "", beside)


async def _bill(month: Month, prices: CachePrices, always: Retention | None, *, keeps_warm: bool = False) -> float:
    provider, providers = Provider(), Providers(ProviderSettings())
    os.environ |= {"ANTHROPIC_BASE_URL": provider.anthropic_url, "ANTHROPIC_API_KEY": "loopback"}
    try:
        with clocked(provider, providers, always) as world:
            started = world.now
            for start, chat in month:
                world.wait(max(0.0, started + start - world.now))
                await _play(world, chat, keeps_warm)
        return dollars(provider.counts, prices)
    finally:
        await providers.aclose()
        provider.close()


async def _play(world: Clocked, chat: Chat, keeps_warm: bool) -> None:
    prompt = _WORD * (PREFIX_TOKENS * BYTES_PER_TOKEN // len(_WORD))
    session = world.begin(site_tools().freeze(prompt, ["calculator"]))
    for request in chat:
        await _pause(world, session, request.pause, keeps_warm)
        await session.turn(_WORD * (request.tokens * BYTES_PER_TOKEN // len(_WORD)))
    await _pause(world, session, AFTER_SECONDS, keeps_warm)


async def _pause(world: Clocked, session: Session, seconds: float, keeps_warm: bool) -> None:
    if keeps_warm:
        await world.keep_warm(session, seconds)
    else:
        world.wait(seconds)
