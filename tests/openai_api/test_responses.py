"""Responses by OpenAI's official client, unmodified; every answer is held against its own types."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from tests.llm.talking import extends
from tests.openai_api.conftest import MODEL, Program
from tests.openai_api.types import exact
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate


def answers(model: Provider, *texts: str) -> None:
    model.script(*(Answer(words=[text]) for text in texts))


def test_a_response_is_a_session_in_the_page(program: Program, model: Provider) -> None:
    model.script(Answer(words=["Good ", "day."]))
    response = program.client().responses.create(model=MODEL, input="Hello there", metadata={"from": "a test"})
    exact(Response, response)
    assert (response.status, response.output_text) == ("completed", "Good day.")
    assert (response.model, response.metadata) == (MODEL, {"from": "a test"})
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (model.counts[-1].prompt, 2)
    [session] = program.sessions()
    assert session["title"] == "Hello there"
    assert program.texts(session["id"]) == ["Hello there", "Good day."]


def test_what_is_retrieved_is_what_was_answered(program: Program, model: Provider) -> None:
    model.script(Answer(reasoning=["hm"], words=["Yes."]))
    client = program.client()
    response = client.responses.create(model=MODEL, input="Hello", instructions="Be brief.", temperature=0.5)
    again = client.responses.retrieve(response.id)
    exact(Response, again)
    assert again == response
    assert [item.type for item in again.output] == ["reasoning", "message"]
    assert again.instructions == "Be brief."


def test_ten_responses_in_a_chain_are_one_session_and_one_prompt(program: Program, model: Provider) -> None:
    answers(model, *(f"A{number}" for number in range(10)))
    client, previous = program.client(), None
    for number in range(10):
        response = client.responses.create(model=MODEL, input=f"Q{number}", previous_response_id=previous)
        assert response.previous_response_id == previous
        previous = response.id
    [session] = program.sessions()
    assert program.texts(session["id"]) == [f"{who}{number}" for number in range(10) for who in "QA"]
    assert len(model.bodies) == 10
    for earlier, later in zip(model.bodies, model.bodies[1:], strict=False):
        assert extends(later, earlier)


def test_to_go_on_from_an_earlier_response_is_a_branch(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2", "B2")
    client = program.client()
    first = client.responses.create(model=MODEL, input="Q1")
    client.responses.create(model=MODEL, input="Q2", previous_response_id=first.id)
    other = client.responses.create(model=MODEL, input="R2", previous_response_id=first.id)
    assert other.output_text == "B2"
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "R2", "B2"]
    assert extends(model.bodies[2], model.bodies[0])


def test_beside_a_turn_that_runs_it_goes_on_in_a_copy(program: Program, model: Provider) -> None:
    gate = Gate()
    answers(model, "A1")
    client = program.client()
    first = client.responses.create(model=MODEL, input="Q1")
    model.script(Answer(words=["one ", "two"], gates={1: gate}), Answer(words=["beside"]))
    running = client.responses.create(model=MODEL, input="Q2", previous_response_id=first.id, background=True)
    gate.stood(30)
    beside = client.responses.create(model=MODEL, input="Q3", previous_response_id=first.id)
    assert beside.output_text == "beside"
    gate.open()
    assert list(client.responses.retrieve(running.id, stream=True))[-1].type == "response.completed"
    assert [session["message_count"] for session in program.sessions()] == [4, 4]
    assert [each["content"] for each in model.requests[2].json["messages"][1:]] == ["Q1", "A1", "Q3"]


def test_other_instructions_go_on_in_a_copy(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2", "A3")
    client = program.client()
    first = client.responses.create(model=MODEL, input="Q1", instructions="Be brief.")
    same = client.responses.create(model=MODEL, input="Q2", instructions="Be brief.", previous_response_id=first.id)
    assert len(program.sessions()) == 1
    other = client.responses.create(model=MODEL, input="Q3", instructions="Be long.", previous_response_id=same.id)
    assert (other.instructions, len(program.sessions())) == ("Be long.", 2)
    sent = [(each["role"], each["content"]) for each in model.requests[2].json["messages"]]
    assert sent == [
        ("system", "Be long."),
        *(("user", "Q1"), ("assistant", "A1")),
        *(("user", "Q2"), ("assistant", "A2"), ("user", "Q3")),
    ]
    assert client.responses.retrieve(first.id).instructions == "Be brief."


def test_a_whole_history_each_time_is_one_session(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2")
    client = program.client()
    first = client.responses.create(model=MODEL, input=[{"role": "user", "content": "Q1"}])
    history: Any = [{"role": "user", "content": "Q1"}, *first.output]
    client.responses.create(model=MODEL, input=[*history, {"role": "user", "content": "Q2"}])
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "A2"]
    assert extends(model.bodies[1], model.bodies[0])


def test_several_items_are_taken_after_a_response(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2")
    client = program.client()
    first = client.responses.create(model=MODEL, input="Q1")
    parts: Any = [{"type": "input_text", "text": "one"}, {"type": "input_text", "text": "two"}]
    items: Any = [
        {"role": "user", "content": "Q2"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "made up"}]},
        {"type": "message", "role": "user", "content": parts},
    ]
    client.responses.create(model=MODEL, input=items, previous_response_id=first.id)
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "made up", "one\ntwo", "A2"]


def test_what_is_wanted_of_the_answer_reaches_the_provider(program: Program, model: Provider) -> None:
    form: Any = {"type": "json_schema", "name": "point", "schema": {"type": "object"}, "strict": True}
    response = program.client().responses.create(
        model=MODEL,
        input="Hello",
        max_output_tokens=77,
        temperature=0.25,
        top_p=0.5,
        reasoning={"effort": "low"},
        text={"format": form},
        user="ignored",
    )
    exact(Response, response)
    sent = model.requests[-1].json
    assert sent.get("max_completion_tokens", sent.get("max_tokens")) == 77
    assert (sent["temperature"], sent["top_p"], sent["reasoning_effort"]) == (0.25, 0.5, "low")
    given = {"name": "point", "schema": {"type": "object"}, "strict": True}
    assert sent["response_format"] == {"type": "json_schema", "json_schema": given}
    assert (response.max_output_tokens, response.temperature, response.top_p) == (77, 0.25, 0.5)
    assert response.text is not None
    assert response.text.to_dict()["format"] == form


def test_an_answer_is_parsed_by_the_client(program: Program, model: Provider) -> None:
    class Point(BaseModel):
        x: int

    model.script(Answer(words=['{"x"', ": 5}"]))
    parsed = program.client().responses.parse(model=MODEL, input="Where?", text_format=Point)
    assert parsed.output_parsed == Point(x=5)
    assert model.requests[-1].json["response_format"]["json_schema"]["name"] == "Point"


def test_the_limit_of_the_answer_makes_it_incomplete(program: Program, model: Provider) -> None:
    body = {"choices": [{"index": 0, "delta": {"content": "cut"}, "finish_reason": "length"}]}
    model.script(Answer(raw=[f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n".encode()]))
    response = program.client().responses.create(model=MODEL, input="Long")
    exact(Response, response)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.output[0].to_dict()["status"] == "incomplete"


def test_an_answer_in_steps_has_an_item_for_each(program: Program, model: Provider) -> None:
    call = Call("calculator", '{"expression":"6 * 7"}')
    model.script(Answer(words=["Let me see."], calls=[call]), Answer(words=["It is 42."]), Answer(words=["Yes."]))
    client = program.client()
    response = client.responses.create(model=MODEL, input="What is 6 * 7?")
    assert [item.to_dict()["content"][0]["text"] for item in response.output] == ["Let me see.", "It is 42."]  # type: ignore[index]
    history: Any = [
        {"role": "user", "content": "What is 6 * 7?"},
        *response.output,
        {"role": "user", "content": "Sure?"},
    ]
    client.responses.create(model=MODEL, input=history)
    assert len(program.sessions()) == 1


def test_a_provider_that_fails_is_an_error_and_no_second_turn(program: Program, model: Provider) -> None:
    model.script(Answer(status=400))
    with pytest.raises(openai.InternalServerError) as failed:
        program.client(max_retries=2).responses.create(model=MODEL, input="Hello")
    assert (failed.value.status_code, failed.value.code) == (502, "provider")
    assert len(model.requests) == 1


def test_a_name_of_the_clients_own_names_one_session(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2")
    client, named = program.client(), {"X-Session-Id": "my chat"}
    client.responses.create(model=MODEL, input="Q1", extra_headers=named)
    items: Any = [{"role": "user", "content": "Q1"}, {"role": "assistant", "content": "A1"}]
    client.responses.create(model=MODEL, input=[*items, {"role": "user", "content": "Q2"}], extra_headers=named)
    assert len(program.sessions()) == 1
