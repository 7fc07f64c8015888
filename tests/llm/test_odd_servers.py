"""What servers send beside each wire's documentation: no word lost, none invented, no ending told wrongly."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from contextlib import suppress
from typing import Any

import pytest

from sessions_app.llm.content.parts import reasoning_of
from sessions_app.llm.content.thinking_tags import MAX_BLANKS, ThinkingTags
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.step_events import StepResult
from sessions_app.llm.wire.chat import ChatReader
from tests.llm.recorded import reader_of, recorded, said
from tests.llm.talking import CHAT
from tests.llm.test_answer_decoder import chat
from tests.llm.test_answer_stream import Source, deltas, streamed
from tests.llm.test_endings import message
from tests.llm.test_streams import chunks, failed, session_of
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

Frame = dict[str, Any]


def body(*frames: Frame, mark: bool = False) -> bytes:
    """A stream of unnamed events."""
    return "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames).encode() + b"data: [DONE]\n\n" * mark


def chunk(finish: str | None = None, *, index: int = 0, usage: Frame | None = None, **delta: Any) -> Frame:
    """A frame of chat completions."""
    frame: Frame = {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}
    return frame if usage is None else frame | {"usage": usage}


def counts(answer: int, cached: int | None = None) -> Frame:
    """A usage of chat completions."""
    details = {} if cached is None else {"prompt_tokens_details": {"cached_tokens": cached}}
    return {"prompt_tokens": 10, "completion_tokens": answer, "total_tokens": 10 + answer, **details}


async def answered(wire: str, provider: Provider, providers: Providers, answer: bytes | Answer) -> StepResult:
    """What comes of a body."""
    provider.script(answer if isinstance(answer, Answer) else Answer(raw=[answer]))
    return await session_of(wire, providers).step()


# How it ended.


@pytest.mark.parametrize("reason", ["error", "abort", "ERROR"])
async def test_a_word_for_broken_counts_more_than_the_last_mark(
    reason: str, provider: Provider, providers: Providers
) -> None:
    """vLLM and OpenRouter send the mark behind it as well."""
    raw = body(chunk(content="Hi"), chunk(reason), mark=True)
    error, result = await failed("chat", provider, providers, Answer(raw=[raw]))
    assert (error.code, result.text) == ("provider", "Hi")


@pytest.mark.parametrize("wire", ["chat", "anthropic"])
async def test_an_error_behind_the_end_spoils_nothing(wire: str, provider: Provider, providers: Providers) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}
    stop = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}
    raw = body(chunk(content="Hi."), chunk("stop"), error) if wire == "chat" else message(stop, error)
    assert (await answered(wire, provider, providers, raw)).text == "Hi."


@pytest.mark.parametrize("finish", [{}, {"finish_reason": None}, {"finish_reason": ""}])
async def test_a_whole_object_is_whole_without_a_reason(
    finish: Frame, provider: Provider, providers: Providers
) -> None:
    raw = json.dumps({"choices": [{"message": {"content": "Whole."}, **finish}]}).encode()
    assert (await answered("chat", provider, providers, raw)).text == "Whole."


# Words.


async def test_only_the_first_choice_is_the_answer(provider: Provider, providers: Providers) -> None:
    both = {"choices": [chunk(content="X", index=1)["choices"][0], chunk(content="c")["choices"][0]]}
    frames = [chunk(content="a"), chunk(content="X", index=1), chunk("length", index=1), both, chunk("stop")]
    result = await answered("chat", provider, providers, body(*frames))
    assert (result.text, result.finish) == ("ac", None)


async def test_a_whole_message_behind_its_deltas_is_no_second_one(provider: Provider, providers: Providers) -> None:
    """MiniMax ends its streams so."""
    last = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}
    raw = body(chunk(content="Hel"), chunk(content="lo"), last)
    assert (await answered("chat", provider, providers, raw)).text == "Hello"


def test_halves_of_a_character_with_counts_in_each_chunk() -> None:
    frames = [chunk(content="\ud83d", usage=counts(1)), chunk(content="\ude00", usage=counts(2)), chunk("stop")]
    assert chat(*frames).text == "😀"


async def test_what_was_held_back_is_kept_when_the_connection_is_cut(provider: Provider, providers: Providers) -> None:
    raw = chunks({"content": "Is 3 <"}, finish=None, mark=False)
    _, result = await failed("chat", provider, providers, Answer(raw=[raw], cut=1))
    assert result.text == "Is 3 <"


async def test_a_compressed_answer_of_several_members(provider: Provider, providers: Providers) -> None:
    """RFC 1952: a gzip file is a series of members."""
    members = [gzip.compress(body(chunk(content="a"))), gzip.compress(body(chunk("stop", content="b")))]
    answer = Answer(raw=members, headers={"content-encoding": "gzip"})
    assert (await answered("chat", provider, providers, answer)).text == "ab"


def words(text: str, item_id: str | None) -> Frame:
    """A delta of Responses."""
    return {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": text} | (
        {"item_id": item_id} if item_id else {}
    )


def item(kind: str, item_id: str, **fields: Any) -> Frame:
    """An item of Responses."""
    return {"id": item_id, "type": kind, **fields}


def completed(*output: Frame) -> Frame:
    """The end of a response."""
    return {
        "type": "response.completed",
        "response": {"id": "resp_1", "status": "completed", "model": "m", "output": list(output)},
    }


def spoken(item_id: str) -> Frame:
    """A whole message of Responses."""
    part = {"type": "output_text", "text": "Hello", "annotations": []}
    return item("message", item_id, role="assistant", status="completed", content=[part])


@pytest.mark.parametrize("ids", ["aaaaa", "abcde", " bbbb", "aaaab"])
async def test_an_item_that_is_named_otherwise_in_each_event_is_one(
    ids: str, provider: Provider, providers: Providers
) -> None:
    """Gateways in front of OpenAI's Responses make new ids, or leave them out; `output_index` is what stays."""
    first, second, third, fourth, *_ = [f"msg_{one}" if one.strip() else "" for one in ids]
    frames = [
        words("Hel", first),
        words("lo", second if first else None),
        {"type": "response.output_text.done", "item_id": third, "output_index": 0, "content_index": 0, "text": "Hello"},
        {"type": "response.output_item.done", "output_index": 0, "item": spoken(fourth)},
        completed(spoken(f"msg_{ids[-1]}")),
    ]
    assert (await answered("responses", provider, providers, body(*frames))).text == "Hello"


async def test_a_call_that_is_named_otherwise_in_each_event_is_one(provider: Provider, providers: Providers) -> None:
    called = {"call_id": "call_1", "name": "calculator"}
    whole = called | {"arguments": '{"a":1}'}
    kind = "response.function_call_arguments"
    frames = [
        {"type": "response.output_item.added", "output_index": 0,
         "item": item("function_call", "fc_1", **called, arguments="")},
        {"type": f"{kind}.delta", "item_id": "fc_2", "output_index": 0, "delta": '{"a":1}'},
        {"type": f"{kind}.done", "item_id": "fc_3", "output_index": 0, "arguments": '{"a":1}'},
        {"type": "response.output_item.done", "output_index": 0, "item": item("function_call", "fc_4", **whole)},
        completed(item("function_call", "fc_5", **whole)),
    ]  # fmt: skip
    result = await answered("responses", provider, providers, body(*frames))
    assert [(call.name, call.arguments) for call in result.calls] == [("calculator", '{"a":1}')]


@pytest.mark.parametrize(("streamed_", "done"), [(True, True), (True, False), (False, True), (False, False)])
async def test_a_thought_is_told_once(streamed_: bool, done: bool, provider: Provider, providers: Providers) -> None:
    thought = item("reasoning", "rs_1", summary=[{"type": "summary_text", "text": "Hm."}])
    place = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
    frames: list[Frame] = [{"type": "response.reasoning_summary_text.delta", **place, "delta": "Hm."}] * streamed_
    frames += [{"type": "response.output_item.done", "output_index": 0, "item": thought}] * done
    raw = body(*frames, words("Hi.", "msg_1") | {"output_index": 1}, completed(thought))
    result = await answered("responses", provider, providers, raw)
    assert (result.text, reasoning_of(result.parts)) == ("Hi.", "Hm.")


async def test_an_unknown_block_is_left_out_with_its_deltas(provider: Provider, providers: Providers) -> None:
    frames: list[Frame] = [
        {"type": "content_block_start", "index": 1, "content_block": {"type": "new_thing", "id": "x"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a"'}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    result = await answered("anthropic", provider, providers, message(*frames))
    assert (result.text, result.calls) == ("Hi.", ())


# Counts.


@pytest.mark.parametrize(
    ("usages", "expected"),
    [
        ([counts(5), counts(9), counts(7)], (10, 0, 7)),
        ([counts(5, 8), counts(6), counts(7, 8)], (10, 8, 7)),
        ([counts(9, 8), counts(7, 4)], (10, 4, 7)),
        ([{"prompt_tokens": 10.0, "completion_tokens": 7.0}], (10, 0, 7)),
    ],
)
async def test_the_last_count_counts(
    usages: list[Frame], expected: tuple[int, int, int], provider: Provider, providers: Providers
) -> None:
    frames = [chunk(content="a", usage=usage) for usage in usages]
    usage = (await answered("chat", provider, providers, body(*frames, chunk("stop")))).usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == expected


# Tags.


def texts_in_parts(*texts: str) -> bytes:
    """A message of Anthropic's wire with several text blocks."""
    frames: list[Frame] = [{"type": "message_start", "message": {"id": "m", "role": "assistant", "model": "m"}}]
    for index, text in enumerate(texts):
        frames += [
            {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}},
            {"type": "content_block_stop", "index": index},
        ]
    stop = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}
    return body(*frames, stop, {"type": "message_stop"})


@pytest.mark.parametrize(
    ("texts", "thought"),
    [
        (["\n", "<think>Hm.</think>The answer"], "Hm."),
        (["<think>Hm.</think>", "The answer"], "Hm."),
        (["<think>Hm", " more.</think>The answer"], "Hm more."),
    ],
)
async def test_tags_count_where_the_answer_begins_in_whatever_part(
    texts: list[str], thought: str, provider: Provider, providers: Providers
) -> None:
    result = await answered("anthropic", provider, providers, texts_in_parts(*texts))
    assert (result.text.strip(), reasoning_of(result.parts)) == ("The answer", thought)


# Bounds.


@pytest.mark.parametrize("begin", ["", "<think>Hm.</think>"])
async def test_blanks_without_end_are_an_answer_without_end(begin: str, provider: Provider) -> None:
    """A model that says nothing but line ends, as they do when they may only say JSON."""
    providers = Providers(ProviderSettings(max_answer=50_000))
    blanks = chunks({"content": "\n" * 5_000}, finish=None, mark=False)
    provider.script(Answer(raw=[chunks({"content": begin}, finish=None, mark=False), *[blanks] * 2_000]))
    with pytest.raises(ProviderError, match="used up the length"):
        await session_of("chat", providers).step()
    await providers.aclose()
    assert not await asyncio.wrap_future(provider.requests[0].answered)


@pytest.mark.parametrize("begin", ["", "<think>Hm.</think>"])
def test_blanks_are_not_kept_for_ever(begin: str) -> None:
    tags = ThinkingTags()
    list(tags.feed(begin))
    for _ in range(1_000):
        list(tags.feed(" \n"))
    assert len(tags._held) <= MAX_BLANKS


def test_a_name_in_each_delta_costs_no_square(monkeypatch: pytest.MonkeyPatch) -> None:
    from sessions_app.llm.wire import chat as chat_wire

    read = 0
    is_whole = chat_wire._is_whole

    def counted(arguments: str) -> bool:
        nonlocal read
        read += len(arguments)
        return is_whole(arguments)

    monkeypatch.setattr(chat_wire, "_is_whole", counted)
    pieces = ['{"a":"', *["abcd"] * 2_000, '"}']
    call = {"index": 0, "id": "c"}
    frames = [chunk(tool_calls=[call | {"function": {"name": "calculator", "arguments": piece}}]) for piece in pieces]
    found = said(ChatReader(), [body(*frames)])
    assert [parts[1:] for parts in found.calls.values()] == [["calculator", "".join(pieces)]]
    assert read <= 10 * len("".join(pieces))


# Connections.


async def test_a_stop_while_an_answer_is_closed_leaves_nothing_open() -> None:
    source = Source()
    source.chunks.put_nowait(deltas("a")[0] + b"data: [DONE]\n\n")
    stream = streamed(source)
    assert [batch async for batch in stream]
    before = asyncio.all_tasks()
    closing = asyncio.create_task(stream.aclose())
    for _ in range(3):
        await asyncio.sleep(0)
    closing.cancel()
    with suppress(asyncio.CancelledError):
        await closing
    assert source.closed
    assert len(asyncio.all_tasks()) < len(before)


@pytest.mark.parametrize("target", ["http://[::1", "http://a b/", "http://127.0.0.1:99999999/"])
async def test_a_redirection_to_no_address_closes_its_connection(
    target: str, provider: Provider, providers: Providers
) -> None:
    error, _ = await failed("chat", provider, providers, Answer(status=307, headers={"location": target}))
    assert "at another address" in error.text
    live = await providers.live(CHAT)
    assert live.client is not None
    assert live.client._transport.inner._pool.connections == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("junk", [7, True, None, {}, []])
@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("responses_thoughts", '"encrypted_content":'),
        ("responses_thoughts", '"id":'),
        ("responses_thoughts", '"item_id":'),
        ("responses_thoughts", '"logprobs":'),
        ("responses_calls", '"call_id":'),
        ("anthropic_thoughts", '"signature":'),
        ("anthropic_calls", '"id":'),
    ],
)
async def test_what_is_no_text_costs_no_answer(
    name: str, before: str, junk: object, provider: Provider, providers: Providers
) -> None:
    """Ids and signatures are handed on to the SDK, and kept: they must be texts."""
    value = r'("(\\.|[^"\\])*"|\[[^]]*\]|\w+)'
    raw = re.sub(re.escape(before) + value, before + json.dumps(junk), recorded(name).decode())
    result = await answered(name, provider, providers, raw.encode())
    expected = said(reader_of(name), [recorded(name)])
    assert (result.text, len(result.calls)) == (expected.text, len(expected.calls))
    if junk is None:
        assert reasoning_of(result.parts) == expected.thoughts
