"""The oracle of the wire: what is spliced together is what Pydantic AI makes of the whole transcript at once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelResponse, ModelResponsePart, TextPart, ThinkingPart, ToolCallPart

from sessions_app.llm import cached_transcript
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.history import messages_of
from sessions_app.llm.content.parts import SEPARATOR, tool_calls
from sessions_app.llm.content.response_parts import parts_of
from sessions_app.llm.content.rows import Row, tool_row
from sessions_app.llm.live_model import parameters_of
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.llm.row_templates import TemplateCache, TemplatedRow
from sessions_app.llm.step import Step
from sessions_app.llm.wire.splicing import Splice, dumped
from tests.examples import examples
from tests.llm.talking import CHAT, MESSAGES, ONE_IN_THE_SUITE, PREFIX, RESPONSES, WIRES, timeless
from tests.providers.fixtures import Provider

SESSION = "22222222-2222-2222-2222-222222222222"
ODD = ["", " ", "\u2028\u2029", "🎈é\x7f\x00", '"messages":[]', "</s>", "<|im_start|>", "[INST]", "\\u0041\\", " x\n"]
TEXTS = st.text(max_size=12) | st.sampled_from(ODD)
CALLS = st.dictionaries(st.sampled_from(["search_chats", "calculator", "gone"]), TEXTS, max_size=2)
MADE = TemplateCache.made
STATUSES = st.sampled_from([*["complete"] * 6, "stopped", "interrupted", "failed"])


@st.composite
def turns(draw: st.DrawFn, model: str) -> list[list[Row]]:
    """A transcript as the slices in which it grows: each ends where a request is made."""
    slices, carried = [], list[Row]()
    numbers = iter(range(1_000_000))
    thinks = draw(st.sampled_from([False, True, True]))
    for _ in range(draw(st.integers(1, 4))):
        slices.append([*carried, Row("user", draw(TEXTS.filter(str.strip)))])
        while calls := draw(CALLS):
            # In chat completions Pydantic AI lends a call of the running turn the reasoning field that others have,
            # and takes it back in the next turn. Nobody's prefix survives that, so there all calls have one or none.
            reasons = thinks and (model == CHAT or draw(st.booleans()))
            answer = draw(answers(model, numbers, calls, reasons))
            slices.append([answer, *draw(results_of(answer))])
        carried = [draw(answers(model, numbers, {}, reasons=thinks and draw(st.booleans())))]
    return slices


@st.composite
def answers(draw: st.DrawFn, model: str, numbers: Iterator[int], calls: dict[str, str], reasons: bool) -> Row:
    """An answer as a step would have stored it."""
    provider = model.partition(":")[0].removesuffix("-chat")
    parts: list[ModelResponsePart] = []
    if reasons:
        item = f"rs_{next(numbers)}"
        other = {CHAT: "reasoning_content", MESSAGES: draw(st.sampled_from([None, "redacted_thinking"]))}
        identity = other.get(model, item)
        sealed = None if model == CHAT else draw(st.sampled_from(["sealed", "=", item]))
        thoughts = draw(st.lists(TEXTS, min_size=1, max_size=2))
        parts += [
            ThinkingPart(said or "hm", id=identity, signature=sealed, provider_name=provider) for said in thoughts
        ]
    fewest, most = (0, 2) if calls else (draw(st.sampled_from([0, 1, 1, 1])), 1)
    texts = draw(st.lists(TEXTS.filter(str.strip), min_size=fewest, max_size=most))
    if model == RESPONSES:
        item = f"msg_{next(numbers)}"
        parts += [
            TextPart(text, id=item, provider_name=provider, provider_details=draw(details(text))) for text in texts
        ]
    else:
        parts += map(TextPart, texts)
    for name, argument in calls.items():
        parts.append(ToolCallPart(name, json.dumps({"query": argument}), f"call_{next(numbers)}"))
    response = ModelResponse(parts=parts, provider_name=provider)
    status: Any = "complete" if calls else draw(STATUSES)
    return Row("assistant", SEPARATOR.join(texts).replace("\0", "\ufffd"), parts_of(response, model), status)


def alike(model: str) -> list[list[Row]]:
    """A transcript whose rows differ in their words only, and an answer with reasoning among them."""
    provider = model.partition(":")[0].removesuffix("-chat")
    identity = {CHAT: "reasoning_content", RESPONSES: "rs_1"}.get(model)
    sealed = None if model == CHAT else "sealed"
    thought = ThinkingPart("hm", id=identity, signature=sealed, provider_name=provider)
    said = TextPart("yes", id="msg_1", provider_name=provider) if model == RESPONSES else TextPart("yes")
    reasoned = Row("assistant", "yes", parts_of(ModelResponse(parts=[thought, said], provider_name=provider), model))
    return [
        [Row("user", "a")],
        [Row("assistant", "b"), Row("user", "c")],
        [reasoned, Row("user", "d")],
        [reasoned, Row("user", "e")],
    ]


def details(text: str) -> st.SearchStrategy[dict[str, Any] | None]:
    """What OpenAI gives with a text: nothing, its phase, or a citation of a place in it."""
    place = {"start_index": 0, "end_index": len(text), "url": text, "title": "t"}
    cited = {"citations": [{"type": "url_citation", **place}]}
    return st.sampled_from([None, {"phase": "final_answer"}, cited])


@st.composite
def results_of(draw: st.DrawFn, answer: Row) -> list[Row]:
    """Results of an answer's calls, perhaps not all of them."""
    return [tool_row(call.id, call.name, draw(TEXTS)) for call in tool_calls(answer.parts) if draw(st.booleans())]


def placed(rows: list[Row], start: int) -> list[Row]:
    """Rows with the positions that they get where they are stored."""
    return [replace(row, position=10 + 3 * (start + offset)) for offset, row in enumerate(rows)]


def is_amid_an_answer(rows: list[Row], index: int) -> bool:
    """Whether the row before belongs to the same answer."""
    return index > 0 and "user" not in (rows[index].role, rows[index - 1].role)


def from_a_question(slices: list[list[Row]]) -> list[list[Row]]:
    """The slices from a user's row on: with one a conversation goes on from a fork."""
    for index, rows in enumerate(slices):
        for place, row in enumerate(rows):
            if row.role == "user":
                return [rows[place:], *slices[index + 1 :]]
    return [[Row("user", "and now?")]]


class Both:
    """The ways to one body, over one loopback provider and one event loop.

    `learned` counts the rows whose elements were made without the SDK, by how many words were taken out of them.
    """

    def __init__(self) -> None:
        self.learned: Counter[int] = Counter()
        self.provider = Provider()
        self.runner = asyncio.Runner()
        self.providers = Providers(ProviderSettings())

    async def spliced(self, transcript: CachedTranscript) -> bytes:
        """The body of a step."""
        async with Step(self.providers, transcript) as step:
            await anext(step)
        return timeless(self.provider.bodies[-1])

    async def whole(self, rows: list[Row], model: str) -> bytes:
        """The body of Pydantic AI's own request for the pure function's messages, in our JSON form."""
        live = await self.providers.live(model)
        async with AsyncExitStack() as stack:
            request = model_request_stream(
                live.model,
                messages_of(PREFIX, rows, model=model),
                model_settings=live.settings(SESSION),
                model_request_parameters=parameters_of(PREFIX),
            )
            await stack.enter_async_context(request)
        body = json.loads(self.provider.bodies[-1])
        # What is set only to have Pydantic AI take the last count is asked of no server.
        body.get("stream_options", {}).pop("continuous_usage_stats", None)
        return timeless(dumped(body))

    async def preserialized(self, rows: list[Row], model: str) -> bytes:
        """The body of a step of a transcript read anew, all but its end serialised ahead."""

        def made(templates: TemplateCache, row: TemplatedRow) -> bytes:
            self.learned[len(row.words)] += 1
            return MADE(templates, row)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cached_transcript, "INLINE_ROWS", 0)
            patch.setattr(TemplateCache, "made", made)
            return await self.spliced(CachedTranscript(SESSION, PREFIX, model, rows))

    async def check(self, slices: list[list[Row]], model: str) -> None:
        """At every request of a growing transcript: both ways, and a transcript read anew, give one body."""
        growing = CachedTranscript(SESSION, PREFIX, model)
        rows: list[Row] = []
        for added in slices:
            rows += added
            for row in added:
                growing.append(row)
            body = await self.spliced(growing)
            assert body == await self.whole(rows, model)
            assert body == await self.spliced(CachedTranscript(SESSION, PREFIX, model, rows))
            assert body == await self.preserialized(rows, model)

    async def check_cut(self, slices: list[list[Row]], others: list[list[Row]], model: str, cut: int) -> None:
        """A transcript that is cut, and goes on with other rows, is in all things like one read anew."""
        growing = CachedTranscript(SESSION, PREFIX, model)
        rows: list[Row] = []
        for added in slices:
            for row in placed(added, len(rows)):
                rows.append(row)
                growing.append(row)
            await self.spliced(growing)
        growing.last = last = RequestRecord("m", "", "", "", "", *growing.sent(), at=0, kept=0)
        index = cut % len(rows)
        if not growing.truncate(rows[index].position):
            assert is_amid_an_answer(rows, index)
            growing = CachedTranscript(SESSION, PREFIX, model, rows[:index], last=last)
        rows = rows[:index]
        for added in others:
            for row in placed(added, len(rows)):
                rows.append(row)
                growing.append(row)
            assert await self.spliced(growing) == await self.whole(rows, model)
        anew = CachedTranscript(SESSION, PREFIX, model, rows, last=last)
        await self.spliced(anew)
        assert growing.compared(last) == anew.compared(last)
        assert growing.sent() == anew.sent()

    def close(self) -> None:
        """Close everything."""
        self.runner.run(self.providers.aclose())
        self.runner.close()
        self.provider.close()


@pytest.fixture(scope="module")
def both(monkeypatch_module: pytest.MonkeyPatch) -> Iterator[Both]:
    made = Both()
    monkeypatch_module.setenv("OPENAI_BASE_URL", made.provider.base_url)
    monkeypatch_module.setenv("OPENAI_API_KEY", "loopback")
    monkeypatch_module.setenv("ANTHROPIC_BASE_URL", made.provider.anthropic_url)
    monkeypatch_module.setenv("ANTHROPIC_API_KEY", "loopback")
    yield made
    made.close()


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.mark.parametrize("model", WIRES)
def test_the_spliced_body_is_the_whole_body(both: Both, model: str) -> None:
    @examples(3)
    @given(slices=turns(model))
    @example(slices=alike(model))
    def check(slices: list[list[Row]]) -> None:
        both.runner.run(both.check(slices, model))

    both.learned.clear()
    check()
    # The example alone has some of each: of one word, and of an answer's text with its reasoning.
    assert both.learned[1] >= 4
    assert max(both.learned) >= 2


@pytest.mark.parametrize("model", ONE_IN_THE_SUITE)
def test_a_cut_transcript_goes_on_as_if_read_anew(both: Both, model: str) -> None:
    @examples(6)
    @given(slices=turns(model), cut=st.integers(0, 30), half=st.integers(1, 4))
    @example(slices=[*alike(model), *alike(model)], cut=3, half=4)
    @example(slices=[*alike(model), *alike(model)], cut=4, half=4)
    @example(slices=[*alike(model)[1:], *alike(model)], cut=0, half=3)
    def check(slices: list[list[Row]], cut: int, half: int) -> None:
        both.runner.run(both.check_cut(slices[:half], from_a_question(slices[half:]), model, cut))

    check()


def test_what_nobody_kept_is_sent_as_it_is() -> None:
    """No splice, no change: the transport serves other requests of the same client too."""
    splice = Splice(b"")
    body = splice.body(dumped({"model": "m", "messages": [{"role": "user", "content": _marker()}, {"content": "x"}]}))
    assert body == b'{"model":"m","messages":[{"content":"x"}]}'
    assert splice.added == [[b'{"content":"x"}']]


def _marker() -> str:
    from sessions_app.llm.wire.splicing import MARKER

    return MARKER
