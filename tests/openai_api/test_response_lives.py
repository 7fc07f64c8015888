"""A response after it was asked for: in the background, read while it runs, cancelled, deleted, not stored at all."""

from __future__ import annotations

import time
from typing import Any

import openai
import pytest
from openai.types.responses import Response
from openai.types.responses.response_item_list import ResponseItemList

from tests.openai_api.conftest import MODEL, Program
from tests.openai_api.types import exact
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate

_TEMPORARY = "SELECT COUNT(*) FROM sessions_app_chatsession WHERE temporary"


def event(frame: dict[str, Any]) -> dict[str, Any]:
    """Return the event in a frame, empty where there is none."""
    found: dict[str, Any] = frame.get("params", {}).get("event", {})
    return found


def named(name: str) -> Any:
    return lambda frame: event(frame).get("name") == name


def polled(program: Program, response_id: str) -> Response:
    """Return a response once it has ended, asking as a program does."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        response = program.client().responses.retrieve(response_id)
        if response.status not in ("queued", "in_progress"):
            return response
        time.sleep(0.05)
    raise TimeoutError


def test_in_the_background_it_is_answered_at_once(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    client = program.client()
    begun = client.responses.create(model=MODEL, input="Hello", background=True)
    exact(Response, begun)
    assert (begun.status, begun.background, begun.output) == ("in_progress", True, [])
    gate.stood(PATIENCE)
    running = client.responses.retrieve(begun.id)
    exact(Response, running)
    assert (running.status, running.usage) == ("in_progress", None)
    gate.open()
    ended = polled(program, begun.id)
    exact(Response, ended)
    assert (ended.status, ended.output_text) == ("completed", "one two")


def test_one_in_the_background_is_cancelled(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    client = program.client()
    begun = client.responses.create(model=MODEL, input="Hello", background=True)
    gate.stood(PATIENCE)
    for _ in range(2):
        cancelled = client.responses.cancel(begun.id)
        exact(Response, cancelled)
        assert cancelled.status == "cancelled"


def test_one_that_fails_in_the_background_says_why(program: Program, model: Provider) -> None:
    model.script(Answer(status=400))
    failed = polled(program, program.client().responses.create(model=MODEL, input="Hello", background=True).id)
    exact(Response, failed)
    assert failed.error is not None
    assert (failed.status, failed.error.code) == ("failed", "server_error")


@pytest.mark.thorough
def test_of_a_process_that_was_killed_one_has_failed_and_one_that_is_not_stored_is_gone(
    program: Program, model: Provider
) -> None:
    gates = Gate(), Gate()
    model.script(*(Answer(words=["one ", "two"], gates={1: gate}) for gate in gates))
    begun = program.client().responses.create(model=MODEL, input="Hello", background=True)
    gates[0].stood(PATIENCE)
    stream: Any = program.client().responses.create(model=MODEL, input="Bye", store=False, stream=True)
    next(stream)
    gates[1].stood(PATIENCE)
    program.site.kill()
    stream.close()
    for gate in gates:
        gate.open()
    program.site.restart()
    with program.page() as page:
        if len(program.sessions()) > 1:
            page.until(named("session.deleted"))
    [stays] = program.sessions()
    assert program.texts(stays["id"])[0] == "Hello"
    failed = polled(program, begun.id)
    exact(Response, failed)
    assert failed.error is not None
    assert (failed.status, "interrupted" in failed.error.message) == ("failed", True)


def test_to_go_on_from_one_that_runs_is_refused(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    client = program.client()
    begun = client.responses.create(model=MODEL, input="Hello", background=True)
    with pytest.raises(openai.ConflictError):
        client.responses.create(model=MODEL, input="More", previous_response_id=begun.id)
    gate.open()
    polled(program, begun.id)


def test_the_session_goes_with_the_last_response_in_it(program: Program, model: Provider) -> None:
    client = program.client()
    first = client.responses.create(model=MODEL, input="Q1")
    second = client.responses.create(model=MODEL, input="Q2", previous_response_id=first.id)
    client.responses.delete(first.id)
    assert len(program.sessions()) == 1
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model=MODEL, input="Q3", previous_response_id=first.id)
    client.responses.delete(second.id)
    assert program.sessions() == []


def test_what_the_page_has_said_too_stays_when_a_response_is_deleted(program: Program, model: Provider) -> None:
    response = program.client().responses.create(model=MODEL, input="Q1")
    [session] = program.sessions()
    with program.page() as page:
        page.call("session.open", session_id=session["id"])
        page.call("turn.start", session_id=session["id"], text="by hand")
        page.until(lambda frame: event(frame).get("type") == "RUN_FINISHED")
    program.client().responses.delete(response.id)
    assert program.texts(session["id"])[2] == "by hand"


def test_one_that_runs_is_stopped_and_deleted(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    client = program.client()
    begun = client.responses.create(model=MODEL, input="Hello", background=True)
    gate.stood(PATIENCE)
    client.responses.delete(begun.id)
    assert program.sessions() == []


def test_a_turn_of_the_page_is_a_response_to_go_on_from(program: Program, model: Provider) -> None:
    model.script(Answer(words=["A1"]), Answer(words=["A2"]))
    with program.page() as page:
        session_id = page.call("session.create")["result"]["session"]["id"]
        page.call("session.open", session_id=session_id)
        run_id = page.call("turn.start", session_id=session_id, text="Q1")["result"]["run_id"]
        page.until(lambda frame: event(frame).get("type") == "RUN_FINISHED")
    client = program.client()
    found = client.responses.retrieve(f"resp_{run_id}")
    exact(Response, found)
    assert found.output_text == "A1"
    client.responses.create(model=MODEL, input="Q2", previous_response_id=found.id)
    assert program.texts(session_id) == ["Q1", "A1", "Q2", "A2"]


@pytest.mark.parametrize("stream", [True, False])
def test_what_is_not_stored_is_gone_with_its_answer(program: Program, model: Provider, stream: bool) -> None:
    model.script(Answer(words=["Secret."]))
    client = program.client()
    response: Any = client.responses.create(model=MODEL, input="Hello", store=False, stream=stream)
    if stream:
        response = list(response)[-1].response
    exact(Response, response)
    assert (response.output_text, program.sessions()) == ("Secret.", [])
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)


def test_one_that_is_not_stored_leaves_what_it_goes_on_from(program: Program, model: Provider) -> None:
    model.script(Answer(words=["A1"]), Answer(words=["A2"]))
    client = program.client()
    first = client.responses.create(model=MODEL, input="Q1")
    client.responses.create(model=MODEL, input="Q2", previous_response_id=first.id, store=False)
    assert [each["content"] for each in model.requests[-1].json["messages"][1:]] == ["Q1", "A1", "Q2"]
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1"]


def test_one_that_is_not_stored_and_fails_is_gone(program: Program, model: Provider) -> None:
    model.script(Answer(status=400))
    with pytest.raises(openai.InternalServerError):
        program.client().responses.create(model=MODEL, input="Hello", store=False)
    assert program.sessions() == []


@pytest.mark.thorough  # a round of five seconds; what a killed process leaves goes in the same
def test_one_that_is_not_stored_is_gone_when_its_client_has_left(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    with program.page() as page:
        stream: Any = program.client().responses.create(model=MODEL, input="Bye", store=False, stream=True)
        next(stream)
        stream.close()
        gate.stood(PATIENCE)
        gate.open()
        page.until(named("session.deleted"))
    assert program.sessions() == []


def test_a_response_lists_what_it_was_made_of(program: Program, model: Provider) -> None:
    model.script(Answer(words=["A1"]), Answer(words=["A2"]))
    client = program.client()
    first = client.responses.create(model=MODEL, input="Q1")
    second = client.responses.create(model=MODEL, input="Q2", previous_response_id=first.id)
    page = client.responses.input_items.list(second.id)
    exact(ResponseItemList, ResponseItemList.model_validate(page.to_dict()))
    assert [item.to_dict()["content"][0]["text"] for item in page.data] == ["Q2", "A1", "Q1"]  # type: ignore[index]
    forwards = client.responses.input_items.list(second.id, order="asc", limit=1)
    assert [item.to_dict()["content"][0]["text"] for item in forwards] == ["Q1", "A1", "Q2"]  # type: ignore[index]
    assert [item.id for item in client.responses.input_items.list(first.id)] == [page.data[-1].id]


def test_a_request_that_is_sent_again_finds_its_turn(program: Program, model: Provider) -> None:
    model.script(Answer(words=["once"]), Answer(words=["twice"]))
    client, again = program.client(), {"X-Stainless-Retry-Count": "1"}
    first = client.responses.create(model=MODEL, input="Hello")
    assert client.responses.create(model=MODEL, input="Hello", extra_headers=again) == first
    assert client.responses.create(model=MODEL, input="Hello").output_text == "twice"


def test_one_that_is_sent_again_while_it_runs_is_followed(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    client, keyed = program.client(), {"Idempotency-Key": "my key"}
    stream: Any = client.responses.create(model=MODEL, input="Hello", stream=True, extra_headers=keyed)
    first = next(stream)
    gate.stood(PATIENCE)
    again: Any = client.responses.create(model=MODEL, input="Hello", stream=True, extra_headers=keyed)
    assert next(again).response.id == first.response.id
    gate.open()
    assert list(again)[-1].response == list(stream)[-1].response
    assert len(model.requests) == 1


def test_one_in_the_background_that_is_sent_again_is_told_as_it_stands(program: Program, model: Provider) -> None:
    client, keyed = program.client(), {"Idempotency-Key": "another key"}
    begun = client.responses.create(model=MODEL, input="Hello", background=True, extra_headers=keyed)
    ended = polled(program, begun.id)
    assert client.responses.create(model=MODEL, input="Hello", background=True, extra_headers=keyed) == ended
    client.responses.delete(begun.id)
    other = client.responses.create(model=MODEL, input="Hello", background=True, extra_headers=keyed)
    assert polled(program, other.id).id != begun.id
    assert len(model.requests) == 2


def test_a_chat_too_long_for_the_model_is_the_inputs_fault(program: Program, model: Provider) -> None:
    body = {"error": {"code": "context_length_exceeded", "message": "too long", "type": "invalid_request_error"}}
    model.script(*[Answer(status=400, body=body)] * 5)
    with pytest.raises(openai.BadRequestError) as refused:
        program.client().responses.create(model=MODEL, input="Hello")
    assert (refused.value.code, refused.value.param) == ("context_length_exceeded", "input")
