"""What a month costs by for how long prompts are kept: as this host chooses, by two fixed policies, and ideally.

The choices are this host's own code; what they cost is counted apart (`metered`). The ideal knows all pauses to come,
and keeps nothing warm: where that is allowed, less may be paid.
The first chats of each month are played over the wire as well (`loopback`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import inf
from pathlib import Path

from bench import loopback
from bench.metered import PREFIX_TOKENS, Meter, ideal
from bench.people import PEOPLE, Chat, People, measured
from bench.policies import Fixed, Host, KeptWarm, Policy
from bench.report import Figure, Section
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_ledger.prices import CachePrices, cache_prices

MODEL, ADDRESS = "claude-sonnet-4-5", "https://api.anthropic.com"
SEED = 13
WORDS = {Retention.NONE: "not at all", Retention.SHORT: "5 minutes", Retention.LONG: "an hour"}

Month = Sequence[tuple[float, Chat]]


async def compared(file: Path | None) -> list[Section]:
    """A section for each way to pause, or for the measured one. Raises ValueError for a file that holds no pauses."""
    prices = cache_prices(MODEL, ADDRESS)
    assert prices is not None, "genai-prices knows this model"
    everybody = [measured(file)] if file else PEOPLE
    calculated = [_section(people, prices) for people in everybody]
    return [*calculated, await loopback.compared(everybody, prices, SEED)]


def _section(people: People, prices: CachePrices) -> Section:
    month = list(people.month(random.Random(SEED)))  # nosec B311
    least = ideal(prices, month)
    policies: dict[str, Policy] = {
        "this host": Host(prices),
        "this host, kept warm": KeptWarm(prices),
        "always 5 minutes": Fixed(Retention.SHORT),
        "always an hour": Fixed(Retention.LONG),
    }
    figures = [_figure(name, bill(policy, prices, month), least) for name, policy in policies.items()]
    return Section(people.name, [*figures, Figure("the ideal", "1.000 x", "", f"${least:.2f}")])


def _figure(name: str, meter: Meter, least: float) -> Figure:
    kept = ", ".join(f"{WORDS[Retention(one)]} {count} x" for one, count in meter.choices.most_common())
    kept += f"; refreshed {meter.refreshes} x" if meter.refreshes else ""
    return Figure(name, f"{meter.dollars / least:.3f} x", "", f"${meter.dollars:.2f}; kept {kept}")


def bill(policy: Policy, prices: CachePrices, month: Month) -> Meter:
    """Return the bill of a month's prompts."""
    meter = Meter(prices, int(policy.prefix))
    for start, chat in month:
        meter.begin_chat()
        policy.begin_chat()
        now, tokens = start, PREFIX_TOKENS
        for request in chat:
            _refresh(policy, meter, now + request.pause)
            now, tokens = now + request.pause, tokens + request.tokens
            retention = policy.choose(now, tokens, request.tokens)
            policy.answered(now, tokens, meter.request(now, tokens, int(retention)))
        _refresh(policy, meter, inf)
    return meter


def _refresh(policy: Policy, meter: Meter, until: float) -> None:
    for moment in policy.refreshes(until):
        meter.refresh(moment)
