"""A program's own tools by OpenAI's official Python client: calls, results, rounds, streamed and not."""

from __future__ import annotations

import itertools
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from tests.llm.talking import extends
from tests.openai_api.conftest import MODEL, Program, conversation
from tests.openai_api.test_chat import strict
from tests.openai_api.weather import TOOLS, ask, asks, run_tools, tool
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

OWN = Call("calculator", '{"expression":"6 * 7"}')


class Weather(BaseModel):
    """The weather of a city."""

    city: str


def assert_each_extends_the_last(model: Provider, count: int) -> None:
    assert len(model.bodies) == count
    for earlier, later in itertools.pairwise(model.bodies):
        assert extends(later, earlier)


def test_a_call_ends_the_answer_and_its_result_goes_on(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Bonn", "c1")]), Answer(words=["Sunny."]))
    messages = conversation("Bonn?")
    completion = program.client().chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
    strict(ChatCompletion, completion)
    [choice] = completion.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    [call] = choice.message.tool_calls or []
    assert call.id == "c1"
    messages.append(choice.message)
    run_tools(messages)
    assert ask(program.client(), messages).content == "Sunny."
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Bonn?", "", "sunny in Bonn", "Sunny."]
    assert_each_extends_the_last(model, 2)
    assert model.counts[-1].cached > 0


def test_several_rounds_with_parallel_calls(program: Program, model: Provider) -> None:
    model.script(
        Answer(words=["Let me see."], calls=[asks("Bonn"), OWN, asks("Rome")]),
        Answer(calls=[OWN]),
        Answer(words=["And "], calls=[asks("Oslo")]),
        Answer(words=["Done."]),
        Answer(words=["You are welcome."]),
    )
    messages, client = conversation("Everywhere?"), program.client()
    first = ask(client, messages)
    assert (first.content, len(first.tool_calls or ())) == ("Let me see.", 2)
    run_tools(messages)
    ask(client, messages)
    run_tools(messages)
    assert ask(client, messages).content == "Done."
    messages += conversation("Thanks")
    assert ask(client, messages).content == "You are welcome."
    assert len(program.sessions()) == 1
    assert_each_extends_the_last(model, 5)


def test_calls_come_as_deltas(program: Program, model: Provider) -> None:
    model.script(Answer(words=["See: "], calls=[asks("Bonn", "c1"), OWN, asks("Rome", "c2")]), Answer(words=["Sunny."]))
    messages = conversation("Bonn and Rome?")
    options: Any = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(program.client().chat.completions.create(model=MODEL, messages=messages, tools=TOOLS, **options))
    for chunk in chunks:
        strict(ChatCompletionChunk, chunk)
    deltas = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    begun = [(call.index, call.id, call.function.name) for call in deltas if call.id and call.function]
    assert begun == [(0, "c1", "weather"), (1, "c2", "weather")]
    assert all(call.type == ("function" if call.id else None) for call in deltas)
    arguments = ["".join(each.function.arguments for each in deltas if each.index == at) for at in (0, 1)]
    assert [Weather.model_validate_json(each).city for each in arguments] == ["Bonn", "Rome"]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "tool_calls"


def test_the_helper_for_streams_goes_two_rounds(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Bonn"), asks("Rome")]), Answer(words=["Sun", "ny."]))
    messages, client = conversation("Bonn?"), program.client()
    for expected in ("tool_calls", "stop"):
        with client.chat.completions.stream(model=MODEL, messages=messages, tools=TOOLS) as stream:
            kinds = [event.type for event in stream]
            choice = stream.get_final_completion().choices[0]
        assert choice.finish_reason == expected
        messages.append(choice.message.model_dump(exclude_none=True, exclude={"parsed"}))
        for call in choice.message.tool_calls or ():
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
        assert ("tool_calls.function.arguments.done" in kinds) == (expected == "tool_calls")
    assert messages[-1]["content"] == "Sunny."
    assert len(program.sessions()) == 1
    assert_each_extends_the_last(model, 2)


def test_the_helper_that_parses_arguments(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Bonn", name="Weather")]), Answer(words=["Sunny."]))
    messages, client = conversation("Bonn?"), program.client()
    tools = [openai.pydantic_function_tool(Weather)]
    parsed = client.chat.completions.parse(model=MODEL, messages=messages, tools=tools).choices[0].message
    [call] = parsed.tool_calls or []
    assert call.function.parsed_arguments == Weather(city="Bonn")
    messages += [parsed, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    assert client.chat.completions.parse(model=MODEL, messages=messages, tools=tools).choices[0].message.content
    assert len(program.sessions()) == 1
    assert_each_extends_the_last(model, 2)


def test_a_call_of_the_hosts_is_not_told(program: Program, model: Provider) -> None:
    model.script(Answer(words=["See."], calls=[OWN]), Answer(calls=[asks("Bonn")]))
    message = ask(program.client(), conversation("Bonn?"))
    assert message.content == "See."
    assert [call.function.name for call in message.tool_calls or ()] == ["weather"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("none", "none"),
        ("required", "required"),
        ("auto", "auto"),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"type": "function", "function": {"name": "weather"}},
        ),
    ],
)
def test_a_choice_reaches_the_provider_and_changes_no_element(
    program: Program, model: Provider, choice: Any, sent: Any
) -> None:
    model.script(Answer(words=["A1"]), Answer(words=["A2"]))
    messages, client = conversation("Q1"), program.client()
    ask(client, messages)
    messages += conversation("Q2")
    ask(client, messages, tool_choice=choice, parallel_tool_calls=False)
    first, second = (request.json for request in model.requests)
    assert (second["tool_choice"], second["parallel_tool_calls"]) == (sent, False)
    assert "parallel_tool_calls" not in first
    assert second["tools"] == first["tools"]
    assert second["messages"][: len(first["messages"])] == first["messages"]
    with program.page() as page:
        opened = page.call("session.open", session_id=program.sessions()[0]["id"])["result"]
    assert opened["messages"][-1]["ledger"]["miss"] is None


def test_the_page_tells_what_waits_and_a_person_goes_on_without(program: Program, model: Provider) -> None:
    model.script(Answer(words=["See."], calls=[asks("Bonn", "c1")]), Answer(words=["All right."]))
    messages, client = conversation("Bonn?"), program.client()
    ask(client, messages)
    [session] = program.sessions()
    with program.page() as page:
        opened = page.call("session.open", session_id=session["id"])["result"]
        assert opened["messages"][-1]["tool_calls"][0]["waits"] is True
        page.call("turn.start", session_id=session["id"], text="Never mind.")
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")
    run_tools(messages)
    model.script(Answer(words=["Sunny."]))
    assert ask(client, messages).content == "Sunny."
    assert program.texts(session["id"]) == ["Bonn?", "See.", "sunny in Bonn", "Sunny."]
    assert len(program.sessions()) == 1


def test_a_limit_that_cuts_a_call_is_told_as_one(program: Program, model: Provider) -> None:
    cut = Answer(words=["See."], calls=[Call("weather", '{"city": "Bo', "c1")], end=2)
    model.script(cut)
    with pytest.raises(openai.InternalServerError):
        ask(program.client(), conversation("Bonn?"))


BROKEN: list[tuple[Any, str]] = [
    ([{"type": "custom", "custom": {"name": "x"}}], "tools[0].type"),
    ([tool("no name!")], "tools[0].function"),
    ([tool("x" * 65)], "tools[0].function"),
    ([tool("a"), tool("a")], "tools"),
    ([tool(f"t{number}") for number in range(129)], "tools"),
    ([tool("a", parameters={"type": "string"})], "tools[0].function"),
    ([tool("a", parameters={"properties": []})], "tools[0].function"),
    ([tool("a", parameters={"required": "city"})], "tools[0].function"),
    ([tool("a", parameters=5)], "tools[0].function.parameters"),
    ([tool("a", parameters={"properties": {"b": {"enum": 5}}})], "tools[0].function"),
    ([tool("a", parameters={"properties": {"b": {"$ref": "#/$defs/c"}}, "$defs": {"c": 5}})], "tools[0].function"),
    ([tool("a", description="x" * 20_001)], "tools[0].function"),
    ([tool("a", description="a\0b")], "tools[0].function"),
    ([tool(f"t{number}", description="x" * 20_000) for number in range(11)], "tools"),
]


@pytest.mark.parametrize(("tools", "param"), BROKEN)
def test_tools_that_cannot_be_taken_are_named(refused_program: Program, tools: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(refused_program.client(), conversation("Hello"), tools=tools)
    assert refused.value.param == param


def test_a_schema_of_any_depth_is_refused_or_taken(program: Program) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    for _ in range(60):
        schema = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(openai.BadRequestError, match="deep"):
        ask(program.client(), conversation("Hello"), tools=[tool("a", parameters=schema)])


def test_a_choice_of_no_tool_is_refused(program: Program) -> None:
    named: Any = {"type": "function", "function": {"name": "other"}}
    for options in ({"tools": openai.NOT_GIVEN, "tool_choice": "required"}, {"tool_choice": named}):
        with pytest.raises(openai.BadRequestError) as refused:
            ask(program.client(), conversation("Hello"), **options)
        assert refused.value.param == "tool_choice"
