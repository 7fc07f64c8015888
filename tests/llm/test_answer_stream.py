"""An answer is handed on in batches: the first at once, bounded ones, and its end waits for nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.llm.wire import answer as answers
from sessions_app.llm.wire.answer import AnswerStream
from sessions_app.llm.wire.chat import ChatReader
from sessions_app.llm.wire.decoder import AnswerDecoder
from sessions_app.llm.wire.splicing import Splice
from tests.llm.recorded import MAX_BYTES, NAMES, reader_of, recorded, said
from tests.processes import PATIENCE


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


def streamed(source: Source, name: str = "chat") -> AnswerStream:
    """What the SDK is given of a source."""
    decoder = AnswerDecoder(reader_of(name), MAX_BYTES)
    response = httpx2.Response(200, stream=source, request=httpx2.Request("POST", "http://127.0.0.1/"))
    return AnswerStream(response, decoder, Splice(b""))


def deltas(*texts: str) -> list[bytes]:
    """Deltas of chat completions."""
    return [f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode() for text in texts]


def text_of(batch: bytes) -> str:
    """What a batch says."""
    return said(ChatReader(), [batch]).text


@given(st.sampled_from(NAMES), st.lists(st.integers(1, 400), max_size=8))
def test_however_the_bytes_arrive_the_answer_is_the_same(name: str, cuts: list[int]) -> None:
    stream = recorded(name)

    async def read() -> bytes:
        source = Source()
        places = [0, *sorted({min(len(stream), sum(cuts[: index + 1])) for index in range(len(cuts))}), len(stream)]
        for start, end in itertools.pairwise(places):
            source.chunks.put_nowait(stream[start:end])
        source.chunks.put_nowait(None)
        return b"".join([batch async for batch in streamed(source, name)])

    assert said(reader_of(name), [asyncio.run(read())]) == said(reader_of(name), [stream])


async def test_deltas_that_came_together_are_joined() -> None:
    source = Source()
    source.chunks.put_nowait(b"".join(deltas("Hel", "lo ", "there")))
    source.chunks.put_nowait(None)
    batches = [batch async for batch in streamed(source)]
    assert [batch.count(b"data: ") for batch in batches] == [1]
    assert text_of(batches[0]) == "Hello there"


async def test_the_end_is_told_with_the_last_words() -> None:
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    counts = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
    source = Source()
    frames = [f"data: {json.dumps(one)}\n\n".encode() for one in (end, counts)]
    source.chunks.put_nowait(b"".join([*deltas("a", "b"), *frames]))
    source.chunks.put_nowait(None)
    [batch] = [batch async for batch in streamed(source)]
    frame = json.loads(batch.removeprefix(b"data: "))
    choice = {"index": 0, "delta": {"content": "ab"}, "finish_reason": "length"}
    assert (frame["choices"], frame["usage"]) == ([choice], counts["usage"])


async def test_the_first_delta_goes_on_at_once_and_the_end_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "BATCH_SECONDS", 3600.0)
    first, second = deltas("a", "b")
    source = Source()
    stream = aiter(streamed(source))
    source.chunks.put_nowait(first)
    assert text_of(await anext(stream)) == "a"
    source.chunks.put_nowait(second)
    source.chunks.put_nowait(None)
    assert text_of(await anext(stream)) == "b"
    assert [batch async for batch in stream] == []


async def test_the_first_delta_does_not_wait_for_what_came_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "BATCH_SECONDS", 3600.0)
    source = Source()
    for piece in deltas("a", "b", "c"):
        source.chunks.put_nowait(piece)
    stream = aiter(streamed(source))
    assert text_of(await anext(stream)) == "a"
    for _ in range(10):
        await asyncio.sleep(0)
    assert source.chunks.qsize() == 2  # whoever gives way with it takes no time for the rest
    source.chunks.put_nowait(None)
    assert text_of(await anext(stream)) == "bc"


async def test_a_batch_is_bounded_and_nothing_of_a_burst_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "BATCH_SECONDS", 0)
    texts = ["word" * 1_000] * 200 + ["b" * 300_000]
    source = Source()
    source.chunks.put_nowait(b"".join(deltas(*texts)))
    source.chunks.put_nowait(None)
    told = [text_of(batch) async for batch in streamed(source)]
    assert max(map(len, told)) <= 2 * answers.MAX_BATCH_CHARACTERS
    assert "".join(told) == "".join(texts)


async def test_no_more_is_read_ahead_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "BATCH_SECONDS", 0)
    chunks = deltas(*["word" * 1_000] * 200)
    source = Source()
    for chunk in chunks:
        source.chunks.put_nowait(chunk)
    stream = aiter(streamed(source))
    first = await anext(stream)
    for _ in range(10 * len(chunks)):  # as long as it takes to read them all
        await asyncio.sleep(0)
    read = len(text_of(first)) + answers.MAX_BUFFERED_CHARACTERS
    assert source.chunks.qsize() >= len(chunks) - read // 4_000 - 2


async def test_reading_goes_on_where_it_was_left() -> None:
    source = Source()
    for piece in (*deltas("Hel", "lo ", "there"), None):
        source.chunks.put_nowait(piece)
    stream = streamed(source)
    first = await anext(aiter(stream))
    async with asyncio.timeout(PATIENCE):
        rest = [batch async for batch in stream]
    assert text_of(first) + "".join(map(text_of, rest)) == "Hello there"


async def test_an_error_comes_after_what_came_before_it() -> None:
    source = Source()
    source.chunks.put_nowait(deltas("a")[0])
    source.chunks.put_nowait(httpx2.ReadError("cut"))
    stream = aiter(streamed(source))
    assert text_of(await anext(stream)) == "a"
    with pytest.raises(httpx2.ReadError):
        await anext(stream)


async def test_closing_stops_reading_and_closes_the_response() -> None:
    source = Source()
    wrapped = streamed(source)
    source.chunks.put_nowait(deltas("a")[0])
    await anext(aiter(wrapped))
    await wrapped.aclose()
    assert source.closed


async def test_an_answer_that_is_over_is_read_to_its_end_so_that_the_connection_is_free() -> None:
    source = Source()
    for chunk in (*deltas("a"), b"data: [DONE]\n\n"):
        source.chunks.put_nowait(chunk)
    wrapped = streamed(source)
    assert [text_of(batch) async for batch in wrapped] == ["a"]
    source.chunks.put_nowait(None)
    await wrapped.aclose()
    assert source.chunks.empty()
    assert source.closed
