"""A program's own tools in responses: calls and their results over two rounds, streamed and not."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types.conversations.conversation_item_list import ConversationItemList
from openai.types.responses import Response, ResponseFunctionToolCall
from openai.types.responses.response_item_list import ResponseItemList

from tests.llm.talking import extends
from tests.openai_api.conftest import MODEL, Program
from tests.openai_api.types import exact, exact_events
from tests.openai_api.weather import PARAMETERS, asks
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

TOOL: Any = {"type": "function", "name": "weather", "description": "The weather.", "parameters": PARAMETERS}
QUESTION = "What is the weather?"


def calls_of(response: Response) -> list[ResponseFunctionToolCall]:
    return [item for item in response.output if item.type == "function_call"]


def result(call_id: str, text: str = "sunny") -> Any:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def results(response: Response) -> list[Any]:
    """Return the results of the calls that a response ends with: it is sunny everywhere."""
    return [result(call.call_id, f"sunny in {json.loads(call.arguments)['city']}") for call in calls_of(response)]


def asked(program: Program, **options: Any) -> Response:
    response: Response = program.client().responses.create(model=MODEL, tools=[TOOL], **{"input": QUESTION, **options})
    exact(Response, response)
    return response


def test_calls_are_answered_behind_the_response_that_made_them(program: Program, model: Provider) -> None:
    model.script(Answer(words=["Let me look."], calls=[asks("Rome"), asks("Oslo")]), Answer(words=["Sunny."]))
    first = asked(program)
    assert [item.type for item in first.output] == ["message", "function_call", "function_call"]
    assert [(call.name, json.loads(call.arguments)["city"]) for call in calls_of(first)] == [
        ("weather", "Rome"),
        ("weather", "Oslo"),
    ]
    assert (first.status, first.tools[0].to_dict()["name"], first.tool_choice) == ("completed", "weather", "auto")
    second = asked(program, input=results(first)[::-1], previous_response_id=first.id)
    assert second.output_text == "Sunny."
    [session] = program.sessions()
    assert program.texts(session["id"]) == [QUESTION, "Let me look.", "sunny in Rome", "sunny in Oslo", "Sunny."]
    assert extends(model.bodies[1], model.bodies[0])
    assert program.client().responses.retrieve(first.id) == first
    assert program.client().responses.retrieve(second.id) == second


def test_calls_are_answered_by_the_whole_history(program: Program, model: Provider) -> None:
    model.script(Answer(words=["Let me look."], calls=[asks("Rome")]), Answer(words=["Sunny."]), Answer(words=["Yes."]))
    history: list[Any] = [{"role": "user", "content": QUESTION}]
    first = asked(program, input=history)
    history += [*first.output, *results(first)]
    second = asked(program, input=history)
    history += [*second.output, {"role": "user", "content": "Sure?"}]
    assert asked(program, input=history).output_text == "Yes."
    assert len(program.sessions()) == 1
    assert extends(model.bodies[1], model.bodies[0])
    assert extends(model.bodies[2], model.bodies[1])


def test_calls_are_streamed_in_the_official_events(program: Program, model: Provider) -> None:
    model.script(Answer(words=["Let me look."], calls=[asks("Rome")]), Answer(words=["Sunny."]))
    client = program.client()
    stream = client.responses.create(model=MODEL, input=QUESTION, tools=[TOOL], stream=True)
    events = exact_events(stream)
    kinds = [event.type for event in events]
    assert "response.function_call_arguments.delta" in kinds
    [arguments] = [event.arguments for event in events if event.type == "response.function_call_arguments.done"]
    final = events[-1].response
    [call] = calls_of(final)
    # The stored ones are without the model's blanks.
    assert json.loads(call.arguments) == json.loads(arguments) == {"city": "Rome"}
    done = [event.item for event in events if event.type == "response.output_item.done"]
    assert sorted(item.id for item in done) == sorted(item.id for item in final.output)
    assert call.call_id in [item.call_id for item in done if item.type == "function_call"]
    more = exact_events(
        client.responses.create(
            model=MODEL, input=results(final), tools=[TOOL], previous_response_id=final.id, stream=True
        )
    )
    assert more[-1].response.output_text == "Sunny."
    again = exact_events(client.responses.retrieve(final.id, stream=True))
    assert [event.item for event in again if event.type == "response.output_item.done"] == final.output


def test_the_clients_own_stream_puts_calls_together(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Rome")]))
    with program.client().responses.stream(model=MODEL, input=QUESTION, tools=[TOOL]) as stream:
        final = stream.get_final_response()
    assert [json.loads(item.arguments) for item in final.output if item.type == "function_call"] == [{"city": "Rome"}]


def test_in_a_conversation_calls_are_answered_at_its_end(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Rome")]), Answer(words=["Sunny."]))
    client = program.client()
    made = client.conversations.create()
    first = asked(program, conversation=made.id)
    second = asked(program, input=results(first), conversation=made.id)
    assert second.output_text == "Sunny."
    page = client.conversations.items.list(made.id, order="asc")
    exact(ConversationItemList, ConversationItemList.model_validate(page.to_dict()))
    assert [item.type for item in page.data] == ["message", "function_call", "function_call_output", "message"]
    told = client.responses.input_items.list(second.id, order="asc")
    exact(ResponseItemList, ResponseItemList.model_validate(told.to_dict()))
    assert [item.type for item in told.data] == ["message", "function_call", "function_call_output"]


def test_the_same_calls_answered_otherwise_are_a_branch(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Rome")]), Answer(words=["Sunny."]), Answer(words=["Rainy."]))
    first = asked(program)
    asked(program, input=results(first), previous_response_id=first.id)
    [call] = calls_of(first)
    other = asked(program, input=[result(call.call_id, "rain")], previous_response_id=first.id)
    assert other.output_text == "Rainy."
    [session] = program.sessions()
    assert program.texts(session["id"])[-2:] == ["rain", "Rainy."]


def test_calls_are_answered_in_a_copy_with_other_instructions(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Rome")]), Answer(words=["Sunny."]), Answer(words=["Sun!"]))
    first = asked(program, instructions="Be brief.")
    for answer in ("Sunny.", "Sun!"):
        assert asked(program, input=results(first), previous_response_id=first.id).output_text == answer
    sent = model.requests[-1].json["messages"]
    assert [each["role"] for each in sent] == ["system", "user", "assistant", "tool"]
    assert len(program.sessions()) == 3


def test_what_is_not_stored_is_gone_on_with_by_its_history(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Rome")]), Answer(words=["Sunny."]))
    history: list[Any] = [{"role": "user", "content": QUESTION}]
    first = asked(program, input=history, store=False)
    second = asked(program, input=[*history, *first.output, *results(first)], store=False)
    assert (second.output_text, program.sessions()) == ("Sunny.", [])


def test_a_user_goes_on_without_the_results(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Rome")]), Answer(words=["Fine."]))
    first = asked(program)
    assert asked(program, input="Never mind.", previous_response_id=first.id).output_text == "Fine."


def test_results_and_a_message_are_taken_together(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Rome")]), Answer(words=["Fine."]))
    first = asked(program)
    items = [*results(first), {"role": "user", "content": "In one word."}]
    assert asked(program, input=items, previous_response_id=first.id).output_text == "Fine."
    roles = [each["role"] for each in model.requests[-1].json["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "user"]


def test_the_hosts_tools_are_run_beside_the_programs(program: Program, model: Provider) -> None:
    calculator = Call("calculator", '{"expression":"6 * 7"}')
    model.script(Answer(calls=[asks("Rome"), calculator]), Answer(words=["Sunny, 42."]))
    first = asked(program)
    assert [item.type for item in first.output] == ["function_call"]
    assert asked(program, input=results(first), previous_response_id=first.id).output_text == "Sunny, 42."


def test_which_tool_is_wanted_reaches_the_provider(program: Program, model: Provider) -> None:
    model.script(Answer(calls=[asks("Rome")]))
    choice: Any = {"type": "function", "name": "weather"}
    response = asked(program, tool_choice=choice, parallel_tool_calls=False)
    assert response.tool_choice == openai.types.responses.ToolChoiceFunction(**choice)
    assert response.parallel_tool_calls is False
    sent = model.requests[-1].json
    assert (sent["tool_choice"]["function"]["name"], sent["parallel_tool_calls"]) == ("weather", False)


@pytest.mark.parametrize(
    "items",
    [
        [result("nobody")],
        [result("call_1"), result("nobody")],
        [result("call_1"), result("call_1")],
        [result("call_1")],
        [{"role": "user", "content": "x"}, result("call_1")],
    ],
)
def test_results_that_are_not_of_the_calls_are_refused(program: Program, model: Provider, items: list[Any]) -> None:
    model.script(Answer(calls=[asks("Rome", "call_1"), asks("Oslo", "call_2")]))
    first = asked(program)
    [session] = program.sessions()
    with pytest.raises(openai.BadRequestError) as refused:
        program.client().responses.create(model=MODEL, tools=[TOOL], input=items, previous_response_id=first.id)
    assert refused.value.param is not None
    assert refused.value.param.startswith("input")
    assert program.texts(session["id"]) == [QUESTION, ""]
