"""What turns add to the figures: exactly what happened, once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client import generate_latest

from sessions_app.conversations.turn_results import TurnResult
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.cache_ledger.entries import Entry
from sessions_app.llm.usage import Usage
from sessions_app.metrics import REGISTRY
from sessions_app.models import TurnStatus
from sessions_app.turns import tally
from tests.pages import Figures, figures, rises
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import CHAT, NewHost, NewSession
from tests.turns.host import Host, stands_at, within
from tests.turns.test_recovery import left_running

pytestmark = pytest.mark.one_database

PER_TURN = {f"hermes_turn_duration_seconds_count model={CHAT}": 1}
FIRST_WORD = {f"hermes_turn_first_word_seconds_count model={CHAT}": 1}


def counted() -> Figures:
    """All that was counted so far in this process, by whichever test."""
    return figures(generate_latest(REGISTRY).decode())


async def now() -> Figures:
    """The same in a loop, which must not read /proc itself."""
    return await asyncio.to_thread(counted)


def ended(status: str) -> Figures:
    return {f"hermes_turns_ended_total model={CHAT} status={status}": 1}


def verdict(agent: str, transcript: str) -> Figures:
    return {f"hermes_guard_verdicts_total agent={agent} transcript={transcript}": 1}


def miss(cause: str) -> Figures:
    return {f"hermes_prompt_cache_misses_total cause={cause}": 1}


def tokens(**kinds: int) -> Figures:
    return {f"hermes_tokens_total kind={kind} model={CHAT}": count for kind, count in kinds.items() if count}


async def test_a_turn_is_counted_once_with_all_that_it_was(host: Host, session: NewSession) -> None:
    chat, start = await session(), await now()
    first = await host.turn(chat)
    middle = await now()
    assert rises(start, middle) == {
        **(ended("complete") | PER_TURN | FIRST_WORD | verdict("built", "read") | miss("first")),
        **tokens(fresh=first.input_tokens, answer=first.output_tokens),
    }
    second = await host.turn(chat)
    fresh = second.input_tokens - second.cached_tokens
    assert rises(middle, await now()) == {
        **(ended("complete") | PER_TURN | FIRST_WORD | verdict("reused", "kept")),
        **tokens(fresh=fresh, cached=second.cached_tokens, answer=second.output_tokens),
        f"hermes_expected_tokens_total model={CHAT}": second.expected_tokens,
    }
    assert second.cached_tokens > 0


async def test_all_steps_of_a_turn_are_one(host: Host, session: NewSession, provider: Provider) -> None:
    provider.script(Answer(calls=[Call("calculator", '{"expression": "6 * 7"}')]), Answer(["It is 42."]))
    chat, start = await session(), await now()
    turn = await host.turn(chat)
    assert len(provider.requests) == 2
    fresh = turn.input_tokens - turn.cached_tokens
    told = rises(start, await now())
    assert told.items() >= (ended("complete") | PER_TURN | FIRST_WORD | miss("first")).items()
    assert told.items() >= tokens(fresh=fresh, cached=turn.cached_tokens, answer=turn.output_tokens).items()


async def test_a_turn_that_fails_before_its_first_word(host: Host, session: NewSession, provider: Provider) -> None:
    provider.script(Answer(status=400))
    chat, start = await session(), await now()
    await host.turn(chat)
    assert rises(start, await now()) == ended("failed") | PER_TURN | verdict("built", "read")


async def test_a_turn_that_is_stopped(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat, start = await session(), await now()
    await host.ask(chat)
    await stands_at(gate)
    await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    assert await host.stop(chat)
    assert rises(start, await now()) == ended("stopped") | PER_TURN | FIRST_WORD | verdict("built", "read")


async def test_the_first_word_comes_between_the_beginning_and_the_end(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["the answer"], reasoning=["hm "], gates={0: gate}))
    await host.ask(await session())
    await stands_at(gate)
    await host.listener.until(lambda event: event["event"]["type"] == "REASONING_MESSAGE_CONTENT")
    (run,) = host.runner.runs
    first_word = run.first_word
    assert first_word is not None
    gate.open()
    await within(run.ended.wait())
    assert run.first_word == first_word
    assert 0 < first_word < run.lasted


async def test_a_dead_processs_turn_counts_as_recovered_and_not_as_ended_here(
    new_host: NewHost, session: NewSession, user: Any
) -> None:
    await left_running(user.pk, await session())
    start = await now()
    host = await new_host()
    await host.runner.supervisor.look()
    assert rises(start, await now()) == {"hermes_turns_recovered_total": 1}


def test_money_is_counted_with_and_without_a_cache() -> None:
    entry = Entry("prefix", 0, Cause.FIRST, Decimal("0.5"), Decimal("-0.125"))
    start = counted()
    tally.count(CHAT, TurnResult(TurnStatus.COMPLETE, "", entry=entry), lasted=1, first_word=None)
    money = {f"hermes_cost_dollars_total model={CHAT}": 0.5, f"hermes_uncached_cost_dollars_total model={CHAT}": 0.375}
    assert rises(start, counted()).items() >= money.items()


def test_counts_that_contradict_each_other_stop_nothing() -> None:
    start = counted()
    usage = Usage(input_tokens=1, cached_tokens=5, output_tokens=2, reasoning_tokens=9)
    tally.count(CHAT, TurnResult(TurnStatus.COMPLETE, "", usage=usage), lasted=1, first_word=None)
    assert rises(start, counted()) == ended("complete") | PER_TURN | tokens(cached=5, reasoning=9)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_told_before_it_happens(cause: Cause) -> None:
    assert f"hermes_prompt_cache_misses_total cause={cause}" in counted()


def test_every_verdict_is_told_before_it_happens() -> None:
    for agent in ("reused", "built"):
        for transcript in ("kept", "read"):
            assert verdict(agent, transcript).keys() <= counted().keys()
