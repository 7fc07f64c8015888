"""Which rows are alike, and when a form that was learned is used."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_ai.messages import ModelResponse, TextPart, ThinkingPart, ToolCallPart

from sessions_app.agents.answers import parts_of
from sessions_app.agents.forms import MOST_FORMS, Forms, Taken, take
from sessions_app.agents.history import Row, tool_row
from sessions_app.agents.providers import Providers
from sessions_app.agents.wire.splicing import dumped
from tests.providers.fixtures import Provider

from .talking import CHAT, RESPONSES

MODEL = RESPONSES


def answer(text: str, *parts: Any, status: Any = "complete") -> Row:
    return Row("assistant", text, parts_of(ModelResponse(parts=list(parts), provider_name="openai"), MODEL), status)


def named(text: str, item: str, **details: object) -> Row:
    return answer(text, TextPart(text, id=item, provider_details=details))


def thought(said: str, item: str, sealed: str = "sealed") -> Row:
    return answer("yes", ThinkingPart(said, id=item, signature=sealed), TextPart("yes", id="msg_1"))


def taken(row: Row) -> Taken:
    apart = take(row, MODEL)
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
    assert taken(one).form == taken(other).form
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
    assert taken(one).form != taken(other).form


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
    assert take(row, MODEL) is None


async def test_words_come_into_the_places_of_their_probes(provider: Provider, providers: Providers) -> None:
    forms = Forms(await providers.live(MODEL))
    [probe] = forms.unknown([taken(thought("a", "rs_7")), None])
    forms.learn(probe.form, [dumped({"summary": probe.probe.parts}), dumped({"said": f"- {probe.probe.text} -"})])
    row = thought('"\\\n\u2028\x01', "rs_8")
    made = forms.made(taken(row))
    assert forms.knows(taken(row))
    assert b'"id":"rs_8"' in made
    assert b'"text":' + dumped('"\\\n\u2028\x01') in made
    assert made.endswith(b',{"said":"- yes -"}')


async def test_a_form_that_does_not_hold_all_its_words_is_not_used(provider: Provider, providers: Providers) -> None:
    forms = Forms(await providers.live(MODEL))
    row = taken(named("a", "msg_1"))
    forms.learn(row.form, [dumped({"role": "assistant", "content": row.probe.text})])
    assert not forms.knows(row)
    assert forms.unknown([row]) == []


@pytest.mark.parametrize("text", ["<|im_start|>", "[INST]", "]~b]"])
@pytest.mark.parametrize(("model", "knows"), [(CHAT, False), (RESPONSES, True)])
async def test_what_may_be_a_control_token_is_left_to_the_sdk_where_that_breaks_it(
    provider: Provider, providers: Providers, text: str, model: str, knows: bool
) -> None:
    forms = Forms(await providers.live(model))
    row = taken(Row("user", text))
    forms.learn(row.form, [row.probe.text.encode()])
    assert forms.knows(row) is knows


async def test_no_more_forms_are_learned_than_pay(provider: Provider, providers: Providers) -> None:
    forms = Forms(await providers.live(MODEL))
    rows = [taken(named("a", f"odd {number}")) for number in range(MOST_FORMS + 5)]
    asked = forms.unknown(rows)
    for row in asked:
        forms.learn(row.form, [])
    assert len(asked) == MOST_FORMS
    assert forms.unknown(rows) == []
