"""Providers' prompt caches are used to the full, and what they say of it adds up: with a loopback server a wire."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from sessions_app.llm import step
from sessions_app.llm.cache_ledger import entries as ledger
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.content.rows import Row, tool_row
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.live_model import OPENAI, LiveModel
from sessions_app.llm.providers import Providers
from sessions_app.llm.step_events import StepResult
from sessions_app.llm.tools.registry import site_tools
from tests.llm.talking import CHAT, MESSAGES, RESPONSES, WIRES, Session, extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.providers.tokens import BYTES_PER_TOKEN, LOOKBACK, blocks_of

CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


@pytest.fixture(autouse=True)
def no_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts are short here: every element that was read again shows."""
    monkeypatch.setattr(ledger, "SLACK", 2)


def misses(session: Session) -> list[Cause | None]:
    return [result.entry.miss for result in session.results if result.entry]


def marked(body: dict[str, Any]) -> list[str]:
    return [mark for _, mark in blocks_of(body)]


async def test_anthropic_has_its_breakpoints_behind_tools_system_prompt_and_conversation(
    provider: Provider, providers: Providers
) -> None:
    session = Session(providers, MESSAGES)
    for text in ("one", "two", "three"):
        await session.turn(text)
    for body in map(json.loads, provider.bodies):
        assert [("cache_control" in tool) for tool in body["tools"]] == [False, True]
        assert [("cache_control" in block) for block in body["system"]] == [True]
        assert marked(body)[-1]
        assert [mark for mark in marked(body) if mark][:-1] == ["1h", "1h"]
        assert b"cache_control" not in json.dumps(body["messages"]).encode()


async def test_anthropic_reads_tools_and_system_prompt_once_for_all_sessions_of_a_profile(
    provider: Provider, providers: Providers
) -> None:
    prefix = site_tools().freeze("Be brief. " * 100, ["calculator", "search_chats"])
    one, other = (Session(providers, MESSAGES, id=name, prefix=prefix) for name in ("one", "other"))
    await one.turn("Hello?")
    usage = (await other.turn("Something else.")).usage
    shared = b"".join(block for block, _ in blocks_of(json.loads(provider.bodies[-1]))[:3])
    assert usage.cached_tokens == len(shared) // BYTES_PER_TOKEN
    assert misses(other) == [Cause.FIRST]


async def test_anthropic_finds_the_prefix_again_after_an_edit_far_back(
    provider: Provider, providers: Providers
) -> None:
    session = Session(providers, MESSAGES)
    for number in range(LOOKBACK):
        await session.turn(f"number {number}")
    session.rows[0] = Row("user", "edited")
    session.forget()
    usage = (await session.turn("and now?")).usage
    shared = b"".join(block for block, _ in blocks_of(json.loads(provider.bodies[-1]))[:3])
    assert usage.cached_tokens == len(shared) // BYTES_PER_TOKEN
    assert misses(session)[-1] == Cause.EDITED


async def test_a_turn_of_many_calls_is_found_though_anthropic_looks_back_over_few_blocks(
    provider: Provider, providers: Providers
) -> None:
    session = Session(providers, MESSAGES)
    await session.turn("one")
    provider.script(Answer(words=["Working. "], calls=[CALCULATE] * (LOOKBACK // 2 - 1)), Answer(words=["42"]))
    await session.turn("two")
    await session.turn("three")
    assert misses(session) == [Cause.FIRST, None, None, None]


async def test_openai_is_told_which_cache_to_ask(provider: Provider, providers: Providers) -> None:
    one, other = (Session(providers, RESPONSES, id=name) for name in ("one", "other"))
    for session in (one, other, one):
        await session.turn("Hello?")
    assert [json.loads(body)["prompt_cache_key"] for body in provider.bodies] == ["one", "other", "one"]


async def test_chat_completions_tell_it_to_openai_alone(
    provider: Provider, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Session(providers, CHAT).turn("Hello?")
    assert "prompt_cache_key" not in json.loads(provider.bodies[-1])
    live = await providers.live(CHAT)
    monkeypatch.setattr(LiveModel, "base_url", f"{OPENAI}/v1/")
    assert live.settings("one")["openai_prompt_cache_key"] == "one"  # type: ignore[typeddict-item]


@pytest.mark.parametrize("model", WIRES)
async def test_the_parts_sum_to_the_providers_own_total(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model)
    for number in range(3):
        provider.script(Answer(reasoning=["Let ", "me see."], calls=[CALCULATE]), Answer(words=["It ", "is ", "42."]))
        await session.turn(f"number {number}")
    assert [sum(parts(result)) for result in session.results] == provider.totals
    assert all(part >= 0 for result in session.results for part in parts(result))
    last = session.results[-1].usage
    assert last.cached_tokens > last.fresh_tokens + last.cache_write_tokens
    assert last.reasoning_tokens == 0 or model == MESSAGES


def parts(result: StepResult) -> list[int]:
    usage = result.usage
    return [
        usage.fresh_tokens,
        usage.cache_write_tokens,
        usage.cached_tokens,
        usage.answer_tokens,
        usage.reasoning_tokens,
    ]


@pytest.mark.parametrize("model", WIRES)
async def test_nobody_misses_anything_while_turns_only_add(
    provider: Provider, providers: Providers, model: str
) -> None:
    one, other = Session(providers, model, id="one"), Session(providers, model, id="other")
    for number in range(4):
        for session in (one, other):
            provider.script(Answer(reasoning=["Hm."], calls=[CALCULATE]), Answer(words=["So it is."]))
            await session.turn(f"number {number}")
        one.forget()
    assert misses(one) == misses(other) == [Cause.FIRST, *[None] * 7]
    first, *later = [result.entry.expected for result in one.results if result.entry]
    assert (first, min(later) > 0) == (0, True)


@pytest.mark.parametrize("model", WIRES)
async def test_nor_when_a_turn_is_read_again_in_its_midst(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model)
    await session.turn("one")
    provider.script(
        Answer(reasoning=["Hm."] * 20, calls=[CALCULATE]), Answer(words=["And "], calls=[CALCULATE]), Answer(["So."])
    )
    session.store(Row("user", "two"))
    while calls := (result := await session.step()).calls:
        session.store(Row("assistant", result.text, result.parts))
        for call in calls:
            session.store(tool_row(call.id, call.name, "42"))
        session.forget()
    session.store(Row("assistant", result.text, result.parts))
    session.forget()
    await session.turn("three")
    assert misses(session) == [Cause.FIRST, *[None] * 4]
    assert all(extends(later, earlier) for earlier, later in pairwise(provider.bodies))


@pytest.mark.parametrize("model", WIRES)
async def test_each_change_has_its_cause_once(provider: Provider, providers: Providers, model: str) -> None:
    session = Session(providers, model, prefix=site_tools().freeze("Be brief. " * 100, ["calculator"]))
    await session.turn("one " * 100)
    session.prefix = site_tools().freeze("Be long. " * 100, ["calculator"])
    session.forget()
    await session.turn("two " * 100)
    session.prefix = site_tools().freeze("Be long. " * 100, ["calculator", "search_chats"])
    session.forget()
    await session.turn("three")
    await session.turn("four")
    session.rows[0] = Row("user", "edited")
    session.forget()
    await session.turn("five")
    await session.turn("six")
    assert misses(session) == [Cause.FIRST, Cause.PROMPT, Cause.TOOLS, None, Cause.EDITED, None]


async def test_a_server_that_says_nothing_of_its_cache_is_not_blamed_for_an_eviction(
    provider: Provider, providers: Providers
) -> None:
    session = Session(providers, CHAT)
    provider.script(*[Answer(words=["Yes."], silent_cache=True)] * 2)
    await session.turn("one")
    await session.turn("two")
    assert misses(session) == [Cause.FIRST, Cause.UNREPORTED]


async def test_what_a_provider_has_forgotten_is_told(
    provider: Provider, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(providers, MESSAGES)
    await session.turn("one")
    provider.evict()
    await session.turn("two")
    assert (await providers.live(MESSAGES)).caching(session.id).retention == 300
    provider.evict()
    last = session.transcript.last
    assert last is not None
    assert last.retention
    session.transcript.last = replace(last, at=last.at - last.retention)
    await session.turn("three")
    assert misses(session) == [Cause.FIRST, Cause.EVICTED, Cause.EXPIRED]


async def test_a_prompt_is_kept_from_when_its_answer_began_however_long_that_took(
    provider: Provider, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(step, "time", SimpleNamespace(time=lambda: clock[0]))
    session = Session(providers, MESSAGES)
    for pause, answering in ((0, 400), (10, 0), (200, 400)):
        provider.evict()
        provider.script(Answer(words=["Done."]))
        clock[0] += pause
        session.store(Row("user", "and?"))
        async with session.agent.step(session.transcript) as answer:
            async for _ in answer:
                clock[0] += answering
        session.results.append(answer.result)
        session.store(Row("assistant", answer.result.text))
    assert misses(session) == [Cause.FIRST, Cause.EXPIRED, Cause.EVICTED]


async def test_a_request_that_was_not_counted_is_none_to_compare_with(provider: Provider, providers: Providers) -> None:
    session = Session(providers, CHAT)
    await session.turn("one")
    provider.script(Answer(words=["half ", "of it"], cut=1))
    session.store(Row("user", "two"))
    with pytest.raises(ProviderError):
        await session.step()
    session.store(Row("assistant", "half ", status="failed"))
    await session.turn("three")
    assert [result.entry is None for result in session.results] == [False, True, False]
    assert misses(session) == [Cause.FIRST, None]
