"""One step: its events, its result, and what is left of it when it breaks."""

from __future__ import annotations

import asyncio

import pytest

from sessions_app.llm.content.parts import reasoning_of
from sessions_app.llm.content.rows import Row
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.providers import Providers
from sessions_app.llm.step_events import ReasoningDelta, TextDelta, ToolCallArgs, ToolCallEnd, ToolCallStart
from sessions_app.llm.usage import Usage
from tests.llm.talking import CHAT, RESPONSES, WIRES, Session
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate


@pytest.fixture(params=WIRES)
def session(request: pytest.FixtureRequest, providers: Providers) -> Session:
    made = Session(providers, request.param)
    made.store(Row("user", "Hello?"))
    return made


async def test_words_and_reasoning(provider: Provider, session: Session) -> None:
    provider.script(Answer(reasoning=["Let me ", "think."], words=["Hel", "lo ", "there."]))
    result = await session.step()
    reasoning = [event.text for event in session.events if isinstance(event, ReasoningDelta)]
    words = [event.text for event in session.events if isinstance(event, TextDelta)]
    assert "".join(reasoning) == "Let me think."
    assert "".join(words) == result.text == "Hello there."
    assert result.calls == ()
    assert result.finish is None


async def test_tool_calls(provider: Provider, session: Session) -> None:
    calls = [Call("calculator", '{"expression":"1+1"}', "call_1"), Call("search_chats", '{"query":"x"}', "call_2")]
    provider.script(Answer(calls=calls))
    result = await session.step()
    assert [(call.id, call.name, call.arguments) for call in result.calls] == [
        (call.id, call.name, call.arguments) for call in calls
    ]
    for call in calls:
        mine = [event for event in session.events if getattr(event, "call_id", None) == call.id]
        assert mine[0] == ToolCallStart(call.id, call.name)
        assert "".join(event.delta for event in mine if isinstance(event, ToolCallArgs)) == call.arguments
        assert mine[-1] == ToolCallEnd(call.id)


async def test_usage_has_disjoint_parts(provider: Provider, session: Session) -> None:
    provider.script(Answer(words=["a ", "b ", "c"], reasoning=["d"]))
    await session.turn("One?")
    second = (await session.turn("Two?")).usage
    assert 0 < second.cached_tokens < second.input_tokens
    assert second.cached_tokens + second.cache_write_tokens <= second.input_tokens
    assert session.results[0].usage.output_tokens == 4


async def test_a_stopped_step_keeps_what_was_said_and_hangs_up(provider: Provider, session: Session) -> None:
    gate, heard = Gate(), asyncio.Event()
    provider.script(Answer(words=["one ", "two ", "three"], gates={2: gate}))
    step = session.agent.step(session.transcript)

    async def listen() -> None:
        async with step:
            async for _ in step:
                if step.result.text == "one two ":
                    heard.set()

    task = asyncio.create_task(listen())
    await heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.open()
    assert (step.result.text, step.result.parts, step.result.finish) == ("one two ", (), None)
    assert not await asyncio.wrap_future(provider.requests[0].answered)


async def test_a_cut_keeps_what_was_said(provider: Provider, session: Session) -> None:
    provider.script(Answer(words=["one ", "two ", "three"], cut=2))
    with pytest.raises(ProviderError) as failure:
        await session.step()
    assert failure.value.code == "provider"
    assert session.results[-1].text == "one two "
    assert len(provider.requests) == 1


async def test_a_stream_that_ends_too_early_is_a_failure(provider: Provider, session: Session) -> None:
    provider.script(Answer(words=["one ", "two ", "three"], end=2))
    with pytest.raises(ProviderError) as failure:
        await session.step()
    assert failure.value.code == "provider"
    assert session.results[-1].text == "one two "


async def test_lines_that_end_with_carriage_returns_stream_too(provider: Provider, session: Session) -> None:
    gate = Gate()
    provider.script(Answer(words=["one ", "two"], gates={1: gate}, crlf=True))
    async with session.agent.step(session.transcript) as step:
        async for _ in step:
            if step.result.text == "one ":
                gate.open()
    assert step.result.text == "one two"


async def test_an_error_in_mid_answer_keeps_what_was_said(provider: Provider, session: Session) -> None:
    provider.script(Answer(words=["one ", "two"], error=1))
    with pytest.raises(ProviderError):
        await session.step()
    assert session.results[-1].text == "one "


async def test_a_call_that_was_cut_is_no_call(provider: Provider, session: Session) -> None:
    provider.script(Answer(words=["one "], calls=[Call("calculator", "{}")], cut=1))
    with pytest.raises(ProviderError):
        await session.step()
    assert session.results[-1].calls == ()


async def test_an_answer_without_a_word_is_a_failure(provider: Provider, session: Session) -> None:
    provider.script(Answer())
    with pytest.raises(ProviderError) as failure:
        await session.step()
    assert (failure.value.code, session.results[-1].text) == ("empty", "")


async def test_thoughts_without_an_answer_are_kept(provider: Provider, session: Session) -> None:
    provider.script(Answer(reasoning=["Let me ", "think."]))
    with pytest.raises(ProviderError) as failure:
        await session.step()
    assert failure.value.code == "empty"
    assert reasoning_of(session.results[-1].parts) == "Let me think."


async def test_surrogates_and_nul_are_replaced(provider: Provider, session: Session) -> None:
    provider.script(Answer(words=["a\ud83d", "b\0"]))
    result = await session.step()
    assert result.text == "a\ufffdb\ufffd"


async def test_surrogates_and_nul_are_replaced_in_the_name_and_id_of_a_call(
    provider: Provider, session: Session
) -> None:
    provider.script(Answer(calls=[Call("calc\ud83d", "{}", "call\0")]))
    result = await session.step()
    assert [(call.id, call.name, call.arguments) for call in result.calls] == [("call\ufffd", "calc\ufffd", "{}")]
    assert session.events[0] == ToolCallStart("call\ufffd", "calc\ufffd")
    assert session.events[-1] == ToolCallEnd("call\ufffd")


async def test_calls_of_one_id_are_told_apart(provider: Provider, session: Session) -> None:
    provider.script(Answer(calls=[Call("calculator", f'{{"expression":"{n}"}}', "call_1") for n in range(3)]))
    ids = [call.id for call in (await session.step()).calls]
    assert len(set(ids)) == 3
    assert [event.call_id for event in session.events if isinstance(event, ToolCallStart)] == ids
    assert [event.call_id for event in session.events if isinstance(event, ToolCallEnd)] == ids


async def test_a_thought_between_tags_goes_back_where_it_stood(provider: Provider, providers: Providers) -> None:
    """As local models write it that are served without a reasoning parser."""
    session = Session(providers, CHAT)
    session.store(Row("user", "Hello?"))
    provider.script(Answer(words=["<think>", "Hm.", "</think>\n\n", "The answer"]))
    result = await session.step()
    assert (result.text, reasoning_of(result.parts)) == ("The answer", "Hm.")
    session.store(Row("assistant", result.text, result.parts))
    await session.turn("And?")
    content = provider.requests[-1].json["messages"][2]["content"]
    assert content == "<think>\nHm.\n</think>\n\nThe answer"


async def test_before_the_first_word_there_is_an_empty_result(provider: Provider, providers: Providers) -> None:
    session = Session(providers, RESPONSES)
    result = session.agent.step(session.transcript).result
    assert (result.text, result.calls, result.usage) == ("", (), Usage())
