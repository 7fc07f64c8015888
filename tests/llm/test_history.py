"""Each rule by which a request's messages are made from rows."""

from __future__ import annotations

import json

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ThinkingPart, ToolCallPart, ToolReturnPart

from sessions_app.llm.content.codec import decode, encode
from sessions_app.llm.content.errors import ContentError
from sessions_app.llm.content.history import NO_RESULT, OPENING, messages_of
from sessions_app.llm.content.parts import FileReference, Reasoning, TextSpan, ToolResult
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.content.response_parts import parts_of
from sessions_app.llm.content.rows import Row, tool_row
from sessions_app.llm.row_templates import templated

MODEL = "anthropic:some"
PREFIX = FrozenPrefix("Be kind.", ())


def said(*rows: Row, model: str = MODEL, prefix: FrozenPrefix = PREFIX) -> list[tuple[str, object]]:
    """The messages of the rows, as (kind, content) pairs, part by part."""
    return [shown for message in messages_of(prefix, rows, model=model) for shown in _shown(message)]


def _shown(message: ModelMessage) -> list[tuple[str, object]]:
    return [(part.part_kind, getattr(part, "content", None) or getattr(part, "args", None)) for part in message.parts]


def answer(*parts: TextPart | ThinkingPart | ToolCallPart, text: str, status: str = "complete") -> Row:
    """A stored answer of these parts, made by MODEL."""
    response = ModelResponse(parts=list(parts), provider_name="anthropic", provider_url="http://somewhere")
    return Row("assistant", text, parts_of(response, MODEL), status)  # type: ignore[arg-type]


THOUGHT = ThinkingPart("hm", signature="sealed", provider_name="anthropic")
CALL = ToolCallPart("calculator", '{"expression":"1+1"}', "call_1")


def test_the_frozen_prefix_comes_first_then_the_rows_in_order() -> None:
    assert said(Row("user", "a"), Row("assistant", "b"), Row("user", "c")) == [
        ("system-prompt", "Be kind."),
        ("user-prompt", "a"),
        ("text", "b"),
        ("user-prompt", "c"),
    ]


def test_no_system_prompt_is_no_message() -> None:
    assert said(Row("user", "a"), prefix=FrozenPrefix("", ())) == [("user-prompt", "a")]


def test_equal_rows_make_equal_messages() -> None:
    rows = [Row("user", "a"), answer(THOUGHT, CALL, text=""), tool_row("call_1", "calculator", "2"), Row("user", "b")]
    assert messages_of(PREFIX, rows, model=MODEL) == messages_of(PREFIX, rows, model=MODEL)


@pytest.mark.parametrize("status", ["stopped", "interrupted", "failed"])
def test_an_answer_that_was_cut_counts_with_its_text_and_without_its_reasoning(status: str) -> None:
    cut = answer(THOUGHT, TextPart("so f"), text="so f", status=status)
    assert said(Row("user", "a"), cut)[2:] == [("text", "so f")]


@pytest.mark.parametrize("role", ["user", "assistant"])
@pytest.mark.parametrize("blank", ["", " \n\t"])
def test_a_blank_row_counts_not_at_all(role: str, blank: str) -> None:
    row = Row(role, blank)  # type: ignore[arg-type]
    assert said(Row("user", "a"), row, Row("user", "b"))[1:] == [("user-prompt", "a"), ("user-prompt", "b")]


def test_a_blank_answer_that_calls_a_tool_counts() -> None:
    shown = said(Row("user", "a"), answer(CALL, text=""), tool_row("call_1", "calculator", "2"))
    assert shown[2:] == [("tool-call", CALL.args), ("tool-return", "2")]


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    assert said(Row("user", "a"), answer(CALL, text=""), Row("user", "b"))[2:] == [
        ("tool-call", CALL.args),
        ("tool-return", NO_RESULT),
        ("user-prompt", "b"),
    ]


def test_the_results_of_one_answer_are_one_message_in_the_order_of_its_calls() -> None:
    second = ToolCallPart("search_chats", '{"query":"x"}', "call_2")
    rows = [
        Row("user", "a"),
        answer(CALL, second, text=""),
        tool_row("call_2", "search_chats", "found"),
        tool_row("call_1", "calculator", "2"),
    ]
    last = messages_of(PREFIX, rows, model=MODEL)[-1]
    assert [(part.tool_call_id, part.content) for part in last.parts if isinstance(part, ToolReturnPart)] == [
        ("call_1", "2"),
        ("call_2", "found"),
    ]


def test_a_tool_row_whose_call_does_not_stand_before_it_is_left_out() -> None:
    stray = tool_row("call_1", "calculator", "2")
    assert said(Row("user", "a"), stray, Row("assistant", "b"), stray)[1:] == [("user-prompt", "a"), ("text", "b")]


def test_a_branch_that_begins_with_an_answer_gets_an_opening_line() -> None:
    assert said(Row("user", " "), Row("assistant", "b"), Row("user", "c"))[1:] == [
        ("user-prompt", OPENING),
        ("text", "b"),
        ("user-prompt", "c"),
    ]


def test_reasoning_goes_back_to_the_model_that_made_it() -> None:
    shown = said(Row("user", "a"), answer(THOUGHT, TextPart("so"), text="so"))
    assert shown[2:] == [("thinking", "hm"), ("text", "so")]


def test_reasoning_does_not_go_to_another_model() -> None:
    shown = said(Row("user", "a"), answer(THOUGHT, TextPart("so"), text="so"), model="anthropic:other")
    assert shown[2:] == [("text", "so")]


def test_the_text_column_wins_over_the_parts() -> None:
    """Somebody edited the text by raw SQL: it is sent as it now reads, calls stay, reasoning and ids do not."""
    original = answer(THOUGHT, TextPart("so", id="msg_1", provider_name="anthropic"), CALL, text="so")
    edited = Row("assistant", "edited", original.parts)
    messages = messages_of(PREFIX, [Row("user", "a"), edited], model=MODEL)
    response = messages[2]
    assert [(part.part_kind, getattr(part, "content", None)) for part in response.parts] == [
        ("text", "edited"),
        ("tool-call", None),
    ]
    assert isinstance(response.parts[0], TextPart)
    assert response.parts[0].id is None


def test_the_order_of_parts_and_two_texts_survive_storing() -> None:
    first, second = TextPart("one"), TextPart("two")
    row = answer(first, CALL, second, text="one\n\ntwo")
    stored = Row("assistant", row.text, decode(json.loads(json.dumps(encode(row.parts)))))
    response = messages_of(PREFIX, [Row("user", "a"), stored], model=MODEL)[2]
    assert [part.part_kind for part in response.parts] == ["text", "tool-call", "text"]
    assert [part.content for part in response.parts if isinstance(part, TextPart)] == ["one", "two"]


def test_what_else_a_provider_gave_survives_postgresql() -> None:
    """jsonb sorts keys and rewrites numbers; what goes back must not notice."""
    details = {"zeta": 1e5, "a": {"y": [1.0], "x": "\u2028"}}
    thought = ThinkingPart("hm", signature="s", provider_name="anthropic", provider_details=details)
    row = answer(thought, TextPart("so"), text="so")
    jsonb = [dict(sorted(part.items())) for part in encode(row.parts) or []]
    response = messages_of(PREFIX, [Row("user", "a"), Row("assistant", "so", decode(jsonb))], model=MODEL)[2]
    assert isinstance(response.parts[0], ThinkingPart)
    assert json.dumps(response.parts[0].provider_details) == json.dumps(details)
    assert all(isinstance(value, str | int | None) for part in jsonb for value in part.values())


def test_plain_text_needs_no_parts() -> None:
    assert answer(TextPart("so"), text="so").parts == ()


def test_what_a_database_cannot_hold_is_replaced() -> None:
    """Lone surrogates and NUL come out of JSON escapes; neither UTF-8 nor PostgreSQL takes them."""
    bad = "a\ud83db\0c"
    row = answer(ThinkingPart(bad, signature="s", provider_name="anthropic"), TextPart(bad), text="a\ufffdb\ufffdc")
    assert said(Row("user", "a"), row)[2:] == [("thinking", "a\ufffdb\ufffdc"), ("text", "a\ufffdb\ufffdc")]
    assert "\\ud83d" not in json.dumps(encode(row.parts))


FILE = FileReference("f", "a.png", "image/png")
RESULT = ToolResult("call_1", "calculator")


@pytest.mark.parametrize(
    "row",
    [
        *(Row("user", "look", (part,)) for part in (FILE, RESULT, Reasoning("hm"), TextSpan(0, 4))),
        Row("user", "", (FILE,)),
        Row("assistant", "look", (FILE,)),
        Row("assistant", "look", (RESULT,)),
        Row("tool", "42", (RESULT, FILE)),
    ],
)
@pytest.mark.parametrize("model", [MODEL, "openai-chat:m"])
def test_a_row_is_never_sent_without_a_part_of_it(row: Row, model: str) -> None:
    with pytest.raises(ContentError, match="cannot be sent to the model whole"):
        messages_of(PREFIX, [Row("user", "a"), row, Row("user", "b")], model=model)
    assert templated(row, model) is None
