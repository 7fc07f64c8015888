"""What providers send, through the SDKs and Pydantic AI: every word is kept, none invented, each ending told."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import Any

import pytest

from sessions_app.llm.content.parts import reasoning_of
from sessions_app.llm.content.rows import Row
from sessions_app.llm.deadline import Deadline, DeadlineError
from sessions_app.llm.errors import ProviderError
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.step_events import ReasoningDelta, StepResult, TextDelta
from sessions_app.llm.wire import answer as answers
from tests.clock import Clock
from tests.llm.recorded import NAMES, reader_of, recorded, said
from tests.llm.talking import CHAT, MESSAGES, RESPONSES, Session
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

HOUR = 3600.0
MODELS = {"chat": CHAT, "responses": RESPONSES, "anthropic": MESSAGES}


def session_of(name: str, providers: Providers) -> Session:
    """A session that waits for the answer of a recorded stream."""
    session = Session(providers, MODELS[name.partition("_")[0]])
    session.store(Row("user", "Hello?"))
    return session


async def answered(name: str, provider: Provider, providers: Providers, *raw: bytes, **headers: str) -> StepResult:
    """What comes of a body."""
    provider.script(Answer(raw=list(raw), headers={key.replace("_", "-"): value for key, value in headers.items()}))
    return await session_of(name, providers).step()


async def failed(
    name: str, provider: Provider, providers: Providers, answer: Answer
) -> tuple[ProviderError, StepResult]:
    """What comes of a body that is no whole answer."""
    provider.script(answer)
    session = session_of(name, providers)
    with pytest.raises(ProviderError) as failure:
        await session.step()
    return failure.value, session.results[-1]


def chunks(*deltas: dict[str, Any], finish: str | None = "stop", mark: bool = True) -> bytes:
    """A stream of chat completions."""
    frames: list[Any] = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if finish is not None:
        frames.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames).encode() + b"data: [DONE]\n\n" * mark


@pytest.mark.parametrize("name", NAMES)
async def test_recorded_answers(name: str, provider: Provider, providers: Providers) -> None:
    expected = said(reader_of(name), [recorded(name)])
    result = await answered(name, provider, providers, recorded(name))
    assert result.text == expected.text
    assert reasoning_of(result.parts) == expected.thoughts
    assert [[call.id, call.name, call.arguments] for call in result.calls] == list(expected.calls.values())
    usage = result.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (41, 32, 23)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_answer_streams(name: str, encoding: str, provider: Provider, providers: Providers) -> None:
    stream = recorded(name)
    half = stream.index(b"\n\n", len(stream) // 2) + 2
    packer = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    first = packer.compress(stream[:half]) + packer.flush(zlib.Z_SYNC_FLUSH)
    gate = Gate()
    rest = packer.compress(stream[half:]) + packer.flush()
    provider.script(Answer(raw=[first, rest], gates={1: gate}, headers={"content-encoding": encoding}))
    session = session_of(name, providers)
    async with session.agent.step(session.transcript) as step:
        async for _ in step:
            gate.open()  # the first word is here before the rest is sent
    assert step.result.text == said(reader_of(name), [stream]).text


async def test_a_compressed_object(provider: Provider, providers: Providers) -> None:
    body = {"choices": [{"message": {"content": "Whole."}, "finish_reason": "stop"}]}
    packed = gzip.compress(json.dumps(body).encode())
    result = await answered(
        "chat", provider, providers, packed, content_encoding="gzip", content_type="application/json"
    )
    assert result.text == "Whole."


@pytest.mark.parametrize("name", NAMES)
async def test_an_end_counts_whatever_happens_to_the_connection(
    name: str, provider: Provider, providers: Providers
) -> None:
    """Reset behind the frame that says how the answer ended, before what may follow it."""
    stream = recorded(name)
    marks = (b'"finish_reason":"', b'"type":"response.completed"', b'"type":"message_delta"')
    end = max(stream.find(mark) for mark in marks)
    provider.script(Answer(raw=[stream[: stream.index(b"\n\n", end) + 2]], cut=1))
    result = await session_of(name, providers).step()
    assert result.text == said(reader_of(name), [stream]).text


async def test_an_end_is_an_end_although_the_connection_stays_open(
    provider: Provider, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LINGER_SECONDS", 0.01)
    provider.script(Answer(raw=[chunks({"content": "Hi."}, mark=False)], silent=1))
    assert (await session_of("chat", providers).step()).text == "Hi."


@pytest.mark.parametrize(
    "content_type", ["text/event-stream", "text/plain; charset=utf-8", "application/octet-stream", "application/json"]
)
@pytest.mark.parametrize("finish", ["", None])
async def test_no_end_is_a_failure(
    content_type: str, finish: str | None, provider: Provider, providers: Providers
) -> None:
    raw = chunks({"content": "Hi"}, {"content": " there"}, finish=finish, mark=False)
    answer = Answer(raw=[raw], headers={"content-type": content_type})
    error, result = await failed("chat", provider, providers, answer)
    assert (error.code, error.text) == ("provider", "The model's provider broke off its answer.")
    assert (result.text, result.parts) == ("Hi there", ())


NOISE = [b": thinking\n\n", chunks({}, {"content": ""}, finish=None, mark=False), b'data: {"progress": 1}\n\n', b"\n"]


async def test_bytes_without_a_word_are_a_sign_of_life(
    provider: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: asyncio.Queue[None] = asyncio.Queue()
    hear = Deadline.heard_bytes

    def heard_bytes(deadline: Deadline) -> None:
        hear(deadline)
        heard.put_nowait(None)

    providers = Providers(ProviderSettings(timeout=HOUR, longest_wait=10 * HOUR))
    gates = {index: Gate() for index in range(1, len(NOISE) + 1)}
    provider.script(Answer(raw=[*NOISE, chunks({"content": "Hi."})], gates=gates))
    session = session_of("chat", providers)
    with monkeypatch.context() as patch:
        patch.setattr(Deadline, "heard_bytes", heard_bytes)
        asking = asyncio.create_task(session.step())
        await heard.get()  # the request begins
        for gate in gates.values():
            await heard.get()
            clock.advance(0.9 * HOUR)
            gate.open()
        assert (await asking).text == "Hi."
    await providers.aclose()


async def test_bytes_alone_are_not_waited_for_without_end(clock: Clock) -> None:
    deadline = Deadline(HOUR, 10 * HOUR)
    waiting = asyncio.create_task(deadline.wait(asyncio.Event().wait()))
    for _ in range(11):
        await asyncio.sleep(0)
        assert not waiting.done()
        deadline.heard_bytes()
        clock.advance(0.9 * HOUR)
    with pytest.raises(DeadlineError) as over:
        await clock.run_out(waiting, HOUR)
    assert (over.value.waited, over.value.silent) == (10 * HOUR, False)


async def test_an_answer_that_is_here_is_whole_however_late_it_is_read(
    provider: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, lift = asyncio.Event(), Deadline.lift

    def lifted(deadline: Deadline) -> None:
        lift(deadline)
        ended.set()

    providers, gates = Providers(ProviderSettings(timeout=HOUR, longest_wait=HOUR)), {1: Gate(), 2: Gate()}
    monkeypatch.setattr(Deadline, "lift", lifted)
    begun = [chunks({"content": word}, finish=None, mark=False) for word in ("One ", "two ")]
    provider.script(Answer(raw=[*begun, chunks({"content": "three."})], gates=gates))
    session = session_of("chat", providers)
    async with session.agent.step(session.transcript) as step:
        for gate in gates.values():  # behind the first words nothing is read until somebody asks for more
            await anext(step)
            gate.open()
        await ended.wait()
        clock.advance(3 * HOUR)
        async for _ in step:
            pass
    assert step.result.text == "One two three."
    await providers.aclose()


async def test_time_in_which_nobody_here_reads_is_not_the_providers(provider: Provider, clock: Clock) -> None:
    providers, gate = Providers(ProviderSettings(timeout=HOUR, longest_wait=HOUR)), Gate()
    raw = [chunks({"content": "One "}, finish=None, mark=False), chunks({"content": "two."})]
    provider.script(Answer(raw=raw, gates={1: gate}))
    session = session_of("chat", providers)
    async with session.agent.step(session.transcript) as step:
        await anext(step)
        clock.advance(3 * HOUR)
        gate.open()
        async for _ in step:
            pass
    assert step.result.text == "One two."
    await providers.aclose()


async def test_the_user_is_told_what_was_waited_for(provider: Provider, clock: Clock) -> None:
    providers = Providers(ProviderSettings(timeout=10 * HOUR, longest_wait=HOUR))
    gate = Gate()
    provider.script(Answer(raw=[*NOISE, b""], gates={len(NOISE): gate}))
    asking = asyncio.create_task(session_of("chat", providers).step())
    await gate.reached()
    with pytest.raises(ProviderError) as failure:
        await clock.run_out(asking, HOUR)
    assert failure.value.code == "timeout"
    assert failure.value.text == "The model's provider sent no word of an answer for 3600 seconds."
    await providers.aclose()


@pytest.mark.parametrize("size", [1, 7, 5_000])
@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_ends_at_its_longest(name: str, size: int, provider: Provider) -> None:
    providers = Providers(ProviderSettings(max_answer=size))
    expected = said(reader_of(name), [recorded(name)])
    total = len(expected.text) + len(expected.thoughts) + sum(len(parts[2]) for parts in expected.calls.values())
    provider.script(Answer(raw=[recorded(name)]))
    session = session_of(name, providers)
    if len(expected.thoughts) >= size:
        with pytest.raises(ProviderError, match="used up the length"):
            await session.step()
    else:
        result = await session.step()
        assert (result.finish, bool(result.calls)) == (
            ("length", False) if total >= size else (None, bool(expected.calls))
        )
        assert result.text == expected.text[: size - len(expected.thoughts)]
    await providers.aclose()


@pytest.mark.parametrize("model", MODELS.values())
async def test_an_answer_without_end_is_cut_off(model: str, provider: Provider) -> None:
    """The request is closed, so that nothing more is paid for."""
    providers = Providers(ProviderSettings(max_answer=50_000))
    provider.script(Answer(words=["word " * 1_000] * 10_000))
    session = Session(providers, model)
    session.store(Row("user", "Hello?"))
    result = await session.step()
    assert (result.finish, result.text) == ("length", "word " * 10_000)
    assert not await asyncio.wrap_future(provider.requests[0].answered)
    await providers.aclose()


async def test_one_large_delta_becomes_many_small_ones(provider: Provider, providers: Providers) -> None:
    provider.script(Answer(raw=[chunks({"content": "e" * 3_000_000})]))
    session = session_of("chat", providers)
    result = await session.step()
    assert (result.finish, result.text) == ("length", "e" * 1_000_000)
    sizes = [len(event.text) for event in session.events if isinstance(event, TextDelta)]
    assert max(sizes) <= 2 * answers.MAX_BATCH_CHARACTERS


async def test_an_event_beyond_all_bounds_is_refused(provider: Provider) -> None:
    providers = Providers(ProviderSettings(max_answer=10))
    error, _ = await failed("chat", provider, providers, Answer(raw=[b"data: ", b"x" * 3_000_000]))
    assert "cannot be read" in error.text
    await providers.aclose()


@pytest.mark.parametrize("name", ["chat", "responses", "anthropic"])
async def test_a_page_in_place_of_an_answer(name: str, provider: Provider, providers: Providers) -> None:
    answer = Answer(raw=[b"<!DOCTYPE html><title>Welcome</title>"], headers={"content-type": "text/html"})
    error, _ = await failed(name, provider, providers, answer)
    assert (error.code, "web page" in error.text) == ("provider", True)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("name", ["chat", "responses", "anthropic"])
@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirection_within_the_origin_is_followed(
    name: str, status: int, provider: Provider, providers: Providers
) -> None:
    session = session_of(name, providers)
    provider.script(Answer(status=status, headers={"location": "?again=1"}), Answer(["Here."]))
    assert (await session.step()).text == "Here."
    first, second = provider.requests
    assert (first.body, first.headers["host"]) == (second.body, second.headers["host"])
    assert second.path.endswith("?again=1")


@pytest.mark.parametrize(
    "target", ["http://localhost:{port}/v1/chat/completions", "https://127.0.0.1:{port}/", "//[::1]/"]
)
async def test_a_redirection_to_another_origin_is_not(target: str, provider: Provider, providers: Providers) -> None:
    answer = Answer(status=307, headers={"location": target.format(port=provider.port)})
    error, _ = await failed("chat", provider, providers, answer)
    assert "at another address" in error.text
    assert len(provider.requests) == 1


async def test_redirections_without_end(provider: Provider, providers: Providers) -> None:
    provider.script(*[Answer(status=308, headers={"location": "/v1/chat/completions"}) for _ in range(50)])
    await failed("chat", provider, providers, Answer(status=308, headers={"location": "/v1/chat/completions"}))
    assert len(provider.requests) == 5


TOO_LONG: list[tuple[int, Any]] = [
    (400, {"error": {"code": 400, "message": "the request exceeds the available context size. try increasing it"}}),
    (400, {"error": {"code": 400, "message": "request (9 tokens) exceeds the available context size (8 tokens)",
                     "type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 8}}),
    (500, {"error": {"code": 500, "message": "context size has been exceeded", "type": "server_error"}}),
    (400, {"error": "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded"}),
    (400, {"error": "The number of tokens to keep from the initial prompt is greater than the context length."}),
    (400, {"error": {"message": "input length exceeds the context length", "type": "invalid_request_error"}}),
    (400, {"error": {"message": "prompt too long; exceeded max context length by 4 tokens"}}),
    (400, {"error": {"message": "This model's maximum context length is 4096 tokens. However, you requested 5000",
                     "type": "BadRequestError", "code": 400}}),
    (400, {"object": "error", "message": "The prompt (length 9) is longer than the maximum model length of 8."}),
    (413, {"error": {"message": "Request Entity Too Large"}}),
    (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096."}),
    (400, {"error": {"code": "context_length_exceeded", "message": "Too long."}}),
    (400, {"error": {"message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768"}}),
    (400, {"error": {"message": "This model's maximum prompt length is 131072 but the request contains 140000"}}),
    (400, {"type": "error", "error": {"type": "invalid_request_error",
                                      "message": "prompt is too long: 210000 tokens > 200000 maximum"}}),
    (413, {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [*(("chat", *each) for each in TOO_LONG), ("responses", *TOO_LONG[0]), ("anthropic", *TOO_LONG[-2])],
)
async def test_a_conversation_too_long_is_told_and_not_tried_again(
    name: str, status: int, body: Any, provider: Provider, providers: Providers
) -> None:
    error, _ = await failed(name, provider, providers, Answer(status=status, body=body))
    assert (error.code, "too long for the model" in error.text) == ("context", True)
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (429, "Rate limit: the context window of this key"),
        (413, "Request too large for model `m`: Limit 6000 tokens per minute (TPM), Requested 9000"),
        (400, "Unknown parameter: 'context'."),
        (500, "The server had an error."),
    ],
)
async def test_other_refusals_are_not_about_the_length(
    status: int, message: str, provider: Provider, providers: Providers
) -> None:
    answers_ = [
        Answer(status=status, body={"error": {"message": message}}, headers={"retry-after": "0"}) for _ in range(3)
    ]
    provider.script(*answers_[1:])
    error, _ = await failed("chat", provider, providers, answers_[0])
    assert error.code == "provider"


async def test_too_long_as_an_error_in_the_stream(provider: Provider, providers: Providers) -> None:
    raw = b'event: error\ndata: {"error":"Reached context length of 4096 tokens"}\n\n'
    error, _ = await failed("chat", provider, providers, Answer(raw=[raw]))
    assert error.code == "context"


CUTS = [
    "<think>|Hm.|</think>\n\n|The answer",
    "<th|ink>\nH|m.\n</thi|nk>|\n\nThe |answer",
    "<think>Hm.</think>The answer",
    "\n<think>|\n\nHm.|\n|</think>|\n|\n|The answer",
    "|".join("<think>Hm.</think>\n\nThe answer"),
]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", ["chat", "responses", "anthropic"])
async def test_a_thought_between_tags_is_a_thought(
    name: str, cut: str, provider: Provider, providers: Providers
) -> None:
    provider.script(Answer(words=cut.split("|")))
    session = session_of(name, providers)
    result = await session.step()
    assert (result.text, reasoning_of(result.parts)) == ("The answer", "Hm.")
    assert "".join(event.text for event in session.events if isinstance(event, TextDelta)) == "The answer"
    assert "".join(event.text for event in session.events if isinstance(event, ReasoningDelta)).strip() == "Hm."


@pytest.mark.parametrize(
    "words", ["Hm.|</think>\n\n|The answer", "Hm.\n|</th|ink>\n\nThe answer", "Hm.</think>The answer"]
)
@pytest.mark.parametrize("name", ["chat", "responses", "anthropic"])
async def test_without_its_opening_tag_the_thought_moves_when_the_answer_is_stored(
    name: str, words: str, provider: Provider, providers: Providers
) -> None:
    provider.script(Answer(words=words.split("|")))
    session = session_of(name, providers)
    result = await session.step()
    assert (result.text, reasoning_of(result.parts)) == ("The answer", "Hm.")
    assert "think>" not in "".join(event.text for event in session.events if isinstance(event, TextDelta))
    session.store(Row("assistant", result.text, result.parts))
    await session.turn("And?")
    assert b"The answer" in provider.requests[-1].body


@pytest.mark.parametrize(
    "text",
    [
        "Use <think> and </think> around it.",
        "`<think>`",
        "```\n<think>\nx\n</think>\n```\n",
        "A tag: </think> ends it.",
    ],
)
@pytest.mark.parametrize("name", ["chat", "responses", "anthropic"])
async def test_a_tag_that_is_spoken_of_is_a_word(
    name: str, text: str, provider: Provider, providers: Providers
) -> None:
    provider.script(Answer(words=[text[:6], *text[6:]]), Answer(words=["x ", "<think>", " y"]))
    session = session_of(name, providers)
    assert (await session.step()).text == text
    assert (await session.turn("And?")).text == "x <think> y"


async def test_the_tag_of_an_answer_that_is_a_word_of_its_own(provider: Provider, providers: Providers) -> None:
    """Pydantic AI would take a tag that comes as a delta of its own for the beginning of a thought."""
    gates = {1: Gate(), 2: Gate()}
    provider.script(Answer(words=["The tag ", "<think>", " opens it."], gates=gates))
    session = session_of("chat", providers)
    async with session.agent.step(session.transcript) as step:
        async for _ in step:
            if "tag " in step.result.text:
                gates[1].open()
            if step.result.text.endswith("<think>"):
                gates[2].open()
    assert step.result.text == "The tag <think> opens it."


async def test_a_call_that_was_cut_by_the_length_is_not_run(provider: Provider, providers: Providers) -> None:
    call = {"index": 0, "id": "c", "function": {"name": "calculator", "arguments": '{"expression": "1'}}
    raw = chunks({"content": "Let me see."}, {"tool_calls": [call]}, finish="length")
    result = await answered("chat", provider, providers, raw)
    assert (result.text, result.calls, result.finish) == ("Let me see.", (), "length")


async def test_raw_thoughts_of_open_models(provider: Provider, providers: Providers) -> None:
    """`response.reasoning_text.delta`, as vLLM sends it for gpt-oss: no summary, the thought itself."""
    frames = [
        {"type": "response.output_item.added", "item": {"id": "rs_1", "type": "reasoning", "summary": []}},
        {"type": "response.reasoning_text.delta", "item_id": "rs_1", "content_index": 0, "delta": "Hm"},
        {"type": "response.reasoning_text.delta", "item_id": "rs_1", "content_index": 0, "delta": "m."},
        {"type": "response.output_item.done", "item": {"id": "rs_1", "type": "reasoning", "summary": []}},
        {"type": "response.output_text.delta", "item_id": "msg_1", "content_index": 0, "delta": "Hi."},
        {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": [], "model": "m"}},
    ]
    raw = "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames).encode()
    result = await answered("responses", provider, providers, raw)
    assert (result.text, reasoning_of(result.parts)) == ("Hi.", "Hmm.")
