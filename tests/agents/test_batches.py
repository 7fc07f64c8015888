"""Deltas that came together are joined; everything else passes as it came."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.agents import batches
from sessions_app.agents.batches import Batches, joined
from tests.providers import anthropic, chat, responses
from tests.providers.events import Event
from tests.providers.script import Answer, Call
from tests.providers.tokens import Counted

BODY = {"model": "m"}


def events_of(wire: Any, answer: Answer) -> list[bytes]:
    """An answer's events as bytes."""
    stream = wire.stream(answer, BODY, Counted(10, 5))
    return [event.encode() for event in stream if isinstance(event, Event)]


def datas(stream: bytes) -> list[Any]:
    """The data of each event of a stream, parsed."""
    datas = [event.rpartition(b"data: ")[2] for event in stream.split(b"\n\n")[:-1]]
    return [json.loads(data) if data != b"[DONE]" else "[DONE]" for data in datas]


ANSWER = Answer(
    words=["Hel", "lo ", "wor", "ld"],
    reasoning=["a", "b", "c"],
    calls=[Call("t", '{"a": 1}', "1"), Call("u", "{}", "2")],
)


@pytest.mark.parametrize(
    ("wire", "count", "texts"),
    [
        (chat, 12, ["Hello world", "abc"]),
        (responses, 22, ["Hello world", "abc", '{"a": 1}']),
        (anthropic, 16, ["Hello world", "abc", '{"a": 1}']),
    ],
)
def test_a_run_of_deltas_becomes_one(wire: Any, count: int, texts: list[str]) -> None:
    events = events_of(wire, ANSWER)
    batch, spoke = joined(b"".join(events))
    assert spoke
    assert len(datas(batch)) == count < len(events)
    assert all(json.dumps(text) in batch.decode() for text in texts)


@pytest.mark.parametrize("wire", [chat, responses, anthropic])
def test_a_delta_that_stands_alone_passes_byte_for_byte(wire: Any) -> None:
    for event in events_of(wire, ANSWER):
        assert joined(event)[0] == event


@pytest.mark.parametrize(
    "other",
    [
        b": ping\n\n",
        b"data: [DONE]\n\n",
        b"event: ping\ndata: {}\n\n",
        b'data: {"choices":[{"delta":{"content":1}}]}\n\n',
        b'data: {"choices":[]}\n\ndata: {"choices":[]}\n\n',
        b'data: {"choices":[{"delta":{"content":"a","reasoning":"b"}}]}\n\n' * 2,
        b'data: {"type":"response.audio.delta","delta":"QQ=="}\n\n' * 2,
        b"data: {broken\n\n",
        b"data: 1\ndata: 2\n\n",
        b'data: {"choices":[{"delta":{"content":"a"}}]}\r\n\r\n' * 2,
    ],
)
def test_everything_else_passes_byte_for_byte(other: bytes) -> None:
    assert joined(other)[0] == other


def test_numbering_and_padding_keep_nothing_apart() -> None:
    """OpenAI numbers each event of Responses, and pads deltas against listeners who count bytes."""
    event = {"type": "response.output_text.delta", "item_id": "i", "delta": "a"}
    stream = b"".join(Event(None, event | {"sequence_number": n, "obfuscation": "x" * n}).encode() for n in range(3))
    assert datas(joined(stream)[0]) == [event | {"delta": "aaa"}]


def test_a_tag_stands_alone() -> None:
    """Pydantic AI knows a thought that is written in tags by each tag being a delta of its own."""
    texts = ["<think>", "h", "m", "</think>", "s", "o"]
    batch, _ = joined(b"".join(Event(None, {"choices": [{"delta": {"content": text}}]}).encode() for text in texts))
    told = [data["choices"][0]["delta"]["content"] for data in datas(batch)]
    assert told == ["<think>", "hm", "</think>", "so"]


def test_different_frames_are_kept_apart() -> None:
    frames = [{"choices": [{"index": index, "delta": {"content": "a"}}]} for index in (0, 0, 1)]
    batch, _ = joined(b"".join(Event(None, frame).encode() for frame in frames))
    assert [data["choices"][0]["delta"]["content"] for data in datas(batch)] == ["aa", "a"]


class Source(httpx2.AsyncByteStream):
    """A response whose chunks a test hands out."""

    def __init__(self) -> None:
        self.chunks: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self.chunks.get()) is not None:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def aclose(self) -> None:
        self.closed = True


@given(st.lists(st.integers(1, 400), max_size=8))
def test_however_the_bytes_arrive_the_answer_is_the_same(cuts: list[int]) -> None:
    stream = b"".join(events_of(responses, ANSWER))

    async def read() -> bytes:
        source = Source()
        places = [0, *sorted({sum(cuts[: index + 1]) for index in range(len(cuts))}), len(stream)]
        for start, end in itertools.pairwise(places):
            source.chunks.put_nowait(stream[start:end])
        source.chunks.put_nowait(None)
        return b"".join([batch async for batch in Batches(source)])

    assert joined(asyncio.run(read()))[0] == joined(stream)[0]


async def test_the_first_delta_goes_on_at_once_and_the_end_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PERIOD", 3600.0)
    first, second = (Event(None, {"choices": [{"delta": {"content": word}}]}).encode() for word in "ab")
    source = Source()
    stream = aiter(Batches(source))
    source.chunks.put_nowait(first)
    assert await anext(stream) == first
    source.chunks.put_nowait(second)
    source.chunks.put_nowait(None)
    assert await anext(stream) == second
    assert [batch async for batch in stream] == []


def deltas(texts: list[str]) -> list[bytes]:
    return [Event(None, {"choices": [{"delta": {"content": text}}]}).encode() for text in texts]


async def test_a_batch_is_bounded_and_nothing_of_a_burst_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PERIOD", 0)
    stream = b"".join(deltas(["word" * 1_000] * 200))
    source = Source()
    source.chunks.put_nowait(stream)
    source.chunks.put_nowait(None)
    told = [batch async for batch in Batches(source)]
    assert max(map(len, told)) <= batches.MOST
    assert joined(b"".join(told)) == joined(stream)


async def test_one_event_larger_than_a_batch_passes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PERIOD", 0)
    small, large = deltas(["a", "b" * 1_000_000])
    source = Source()
    for chunk in (small + large[:500_000], large[500_000:] + small, None):
        source.chunks.put_nowait(chunk)
    assert b"".join([batch async for batch in Batches(source)]) == small + large + small


async def test_no_more_is_read_ahead_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PERIOD", 0)
    chunks = deltas(["word" * 1_000] * 200)
    source = Source()
    for chunk in chunks:
        source.chunks.put_nowait(chunk)
    stream = aiter(Batches(source))
    first = await anext(stream)
    for _ in range(10 * len(chunks)):  # as long as it takes to read them all
        await asyncio.sleep(0)
    assert source.chunks.qsize() >= len(chunks) - (len(first) + batches.AHEAD) // len(chunks[0]) - 2


async def test_an_error_comes_after_what_came_before_it() -> None:
    source = Source()
    for chunk in (b"data: 1\n\n", httpx2.ReadError("cut")):
        source.chunks.put_nowait(chunk)
    stream = aiter(Batches(source))
    assert await anext(stream) == b"data: 1\n\n"
    with pytest.raises(httpx2.ReadError):
        await anext(stream)


async def test_closing_stops_reading_and_closes_the_response() -> None:
    source = Source()
    wrapped = Batches(source)
    source.chunks.put_nowait(b"data: 1\n\n")
    await anext(aiter(wrapped))
    await wrapped.aclose()
    assert source.closed
