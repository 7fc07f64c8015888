"""For how long prompts are kept, by the loopback Anthropic's own clock and count, and what the host expects."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sessions_app.llm.cache_clock.costs import MULTIPLES
from sessions_app.llm.cache_clock.retention import Retention
from sessions_app.llm.cache_clock.warmth import is_warm
from sessions_app.llm.cache_ledger import entries
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.providers import Providers
from tests.llm.clocked import Clocked, clocked, dollars
from tests.llm.talking import MESSAGES, extends
from tests.providers.fixtures import Provider

MINUTE, HOUR = 60.0, 3600.0
TEXT = "as long as it takes " * 100
SHORT, LONG, NONE = Retention.SHORT, Retention.LONG, Retention.NONE


@pytest.fixture(autouse=True)
def small_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "SLACK", 2)


def chosen(world: Clocked, number: int = -1) -> list[int | None]:
    """The choices of a session's requests."""
    return [result.entry.retention for result in world.sessions[number].results if result.entry]


async def bill(provider: Provider, providers: Providers, pauses: list[float], always: Retention | None) -> float:
    """What the provider charges for a session with these pauses, by its own count."""
    before = len(provider.counts)
    with clocked(provider, providers, always) as world:
        world.wait(10 * HOUR)
        await world.talk(pauses, TEXT)
    return dollars(provider.counts[before:], MULTIPLES)


async def test_the_provider_charges_less_than_for_either_fixed_time(provider: Provider, providers: Providers) -> None:
    bursts = [0.0, *[20.0, 20.0, 20 * MINUTE] * 8]
    ours, short, long = [await bill(provider, providers, bursts, always) for always in (None, SHORT, LONG)]
    assert ours < min(short, long)


@pytest.mark.parametrize(("pause", "best"), [(40.0, SHORT), (15 * MINUTE, LONG)])
@pytest.mark.thorough
async def test_even_pauses_are_learnt_at_little_cost(
    provider: Provider, providers: Providers, pause: float, best: Retention
) -> None:
    pauses = [0.0] + [pause] * 12
    assert await bill(provider, providers, pauses, None) < 1.15 * await bill(provider, providers, pauses, best)


async def test_what_is_expected_is_what_the_provider_finds(provider: Provider, providers: Providers) -> None:
    with clocked(provider, providers) as world:
        results = await world.talk([0.0, 20.0, 20 * MINUTE, 30.0, 30 * MINUTE, 10.0, 2 * HOUR, 5.0], TEXT)
    found = [(one.usage.cached_tokens, one.entry.miss) for one in results if one.entry]
    assert all(miss in (None, Cause.FIRST, Cause.EXPIRED) for _, miss in found)
    assert found[2][0] > 0
    assert found[6] == (0, Cause.EXPIRED)


@pytest.mark.parametrize(("before", "after"), [(SHORT, LONG), (LONG, SHORT)])
async def test_another_time_makes_nothing_be_read_anew(
    provider: Provider, providers: Providers, before: Retention, after: Retention
) -> None:
    session = None
    for retention in (before, after, before):
        with clocked(provider, providers, retention) as world:
            session = session or world.begin()
            world.wait(10.0)
            await session.turn(TEXT)
    assert session is not None
    assert [result.entry.miss for result in session.results if result.entry] == [Cause.FIRST, None, None]
    assert all(extends(later, earlier) for earlier, later in pairwise(provider.bodies))
    assert [later.cached for later in provider.counts[1:]] == [
        earlier.cached + earlier.written for earlier in provider.counts[:-1]
    ]
    assert len({result.entry.prefix for result in session.results if result.entry}) == 1


async def test_a_prompt_is_warm_exactly_while_the_provider_finds_it(provider: Provider, providers: Providers) -> None:
    caching = (await providers.live(MESSAGES)).caching("any")
    with clocked(provider, providers) as world:
        session = world.begin()
        for pause in [0.0, 299.0, 301.0, 3599.0, 3601.0, 30.0, 900.0, 4000.0, 4000.0, 100.0]:
            world.wait(pause)
            last = session.transcript.last
            warm = is_warm(last, caching, world.now)
            usage = (await session.turn(TEXT)).usage
            assert warm == (last is not None and 2 * usage.cached_tokens > last.kept)


async def test_nothing_is_kept_for_a_user_who_never_goes_on(provider: Provider, providers: Providers) -> None:
    with clocked(provider, providers) as world:
        for _ in range(40):
            await world.talk([HOUR], TEXT)
        assert (chosen(world, 0), chosen(world)) == ([SHORT], [NONE])
        assert provider.counts[-1].written == provider.counts[-1].long == 0 < provider.counts[-1].cached
        await world.talk([HOUR, 20.0], TEXT)
        assert [result.entry.miss for result in world.sessions[-1].results if result.entry] == [Cause.FIRST, None]


async def test_what_is_written_for_an_hour_is_counted_apart(provider: Provider, providers: Providers) -> None:
    with clocked(provider, providers, LONG) as world:
        [result] = await world.talk([0.0], TEXT)
    counted = provider.counts[-1]
    assert result.usage.long_write_tokens == counted.long == counted.written == result.usage.cache_write_tokens


async def test_a_prompt_that_is_kept_warm_is_found_after_seven_minutes(
    provider: Provider, providers: Providers
) -> None:
    with clocked(provider, providers) as world:
        session = world.begin()
        await session.turn(TEXT)
        await world.keep_warm(session, 7 * MINUTE)
        result = await session.turn(TEXT)
    assert result.entry is not None
    assert (len(provider.counts), result.entry.miss) == (3, None)
    assert result.usage.cached_tokens == provider.counts[0].prompt
    assert session.transcript.last is not None
    assert session.transcript.last.pauses[5] == 1.0
