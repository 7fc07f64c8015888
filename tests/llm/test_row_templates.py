"""Which rows are alike, and when a template that was learned is used."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_ai.messages import ModelResponse, TextPart, ThinkingPart, ToolCallPart

from sessions_app.llm.content.codec import encode
from sessions_app.llm.content.response_parts import parts_of
from sessions_app.llm.content.rows import Row, tool_row
from sessions_app.llm.providers import Providers
from sessions_app.llm.row_templates import MAX_TEMPLATES, TemplateCache, TemplatedRow, templated
from sessions_app.llm.wire.splicing import dumped
from tests.llm.talking import CHAT, RESPONSES
from tests.providers.fixtures import Provider

MODEL = RESPONSES


def answer(text: str, *parts: Any, status: Any = "complete") -> Row:
    return Row("assistant", text, parts_of(ModelResponse(parts=list(parts), provider_name="openai"), MODEL), status)


def named(text: str, item: str, **details: object) -> Row:
    return answer(text, TextPart(text, id=item, provider_details=details))


def thought(said: str, item: str, sealed: str = "sealed") -> Row:
    return answer("yes", ThinkingPart(said, id=item, signature=sealed), TextPart("yes", id="msg_1"))


def taken(row: Row) -> TemplatedRow:
    apart = templated(row, MODEL)
    assert apart is not None
    return apart


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Row("user", "a"), Row("user", "something else", status="stopped")),
        (Row("assistant", "a"), Row("assistant", "b", status="failed")),
        (Row("assistant", "a"), answer("b", TextPart("b", id="msg_1"), status="stopped")),
        (named("a", "msg_1"), named("bc", "msg_23")),
        (named("a", "msg_1", phase="commentary"), named("bc", "msg_23", phase="commentary")),
        (thought("a", "rs_7"), thought("b", "rs_8", "signed")),
    ],
)
def test_rows_that_differ_in_their_words_only_are_alike(one: Row, other: Row) -> None:
    assert taken(one).template == taken(other).template
    assert taken(one).words != taken(other).words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Row("user", "a"), Row("assistant", "a")),
        (Row("assistant", "a"), named("a", "msg_1")),
        (named("a", "msg_1", phase="commentary"), named("a", "msg_1", phase="final_answer")),
        (thought("a", "rs_7"), thought(" ", "rs_7")),
        (thought("a", "reasoning_content"), thought("a", "redacted_thinking")),
        (thought("a", "rs_7", "a"), thought("a", "rs_7", "b")),
    ],
)
def test_rows_that_differ_in_more_are_not(one: Row, other: Row) -> None:
    assert taken(one).template != taken(other).template


@pytest.mark.parametrize(
    "row",
    [
        Row("user", " \n"),
        tool_row("call_1", "calculator", "42"),
        answer("a", TextPart("a"), ToolCallPart("calculator", "{}", "call_1")),
        answer("a", TextPart("a"), ToolCallPart("calculator", "{}", "call_1"), status="stopped"),
        named("a", "msg_1", citations=[{"start_index": 0, "end_index": 1}]),
        answer("a\n\nb", TextPart("a", id="msg_1"), TextPart("b", id="msg_2")),
    ],
)
def test_what_only_the_sdk_can_map_is_not_taken_apart(row: Row) -> None:
    assert templated(row, MODEL) is None


async def test_words_take_the_places_of_their_placeholders(provider: Provider, providers: Providers) -> None:
    templates = TemplateCache(await providers.live(MODEL))
    [asked] = templates.unknown([taken(thought("a", "rs_7")), None])
    templates.learn(
        asked.template, [dumped({"summary": encode(asked.sample.parts)}), dumped({"said": f"- {asked.sample.text} -"})]
    )
    row = thought('"\\\n\u2028\x01', "rs_8")
    made = templates.made(taken(row))
    assert templates.knows(taken(row))
    assert b'"id":"rs_8"' in made
    assert b'"text":' + dumped('"\\\n\u2028\x01') in made
    assert made.endswith(b',{"said":"- yes -"}')


async def test_a_template_without_all_its_words_is_not_used(provider: Provider, providers: Providers) -> None:
    templates = TemplateCache(await providers.live(MODEL))
    row = taken(named("a", "msg_1"))
    templates.learn(row.template, [dumped({"role": "assistant", "content": row.sample.text})])
    assert not templates.knows(row)
    assert templates.unknown([row]) == []


@pytest.mark.parametrize("text", ["<|im_start|>", "[INST]", "]~b]"])
@pytest.mark.parametrize(("model", "knows"), [(CHAT, False), (RESPONSES, True)])
async def test_what_may_be_a_control_token_is_left_to_the_sdk_where_that_breaks_it(
    provider: Provider, providers: Providers, text: str, model: str, knows: bool
) -> None:
    templates = TemplateCache(await providers.live(model))
    row = taken(Row("user", text))
    templates.learn(row.template, [row.sample.text.encode()])
    assert templates.knows(row) is knows


async def test_no_more_forms_are_learned_than_pay(provider: Provider, providers: Providers) -> None:
    templates = TemplateCache(await providers.live(MODEL))
    rows = [taken(named("a", f"odd {number}")) for number in range(MAX_TEMPLATES + 5)]
    asked = templates.unknown(rows)
    for row in asked:
        templates.learn(row.template, [])
    assert len(asked) == MAX_TEMPLATES
    assert templates.unknown(rows) == []
