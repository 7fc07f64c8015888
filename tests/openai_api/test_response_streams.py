"""Responses that are streamed, by OpenAI's official client; every event is held against its own type."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types.responses import Response

from tests.openai_api.conftest import MODEL, Program
from tests.openai_api.types import exact, exact_events
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

_REVOKE = """
DELETE FROM sessions_app_apitoken WHERE owner_id = (SELECT id FROM auth_user WHERE username = %s)
"""


def streamed(program: Program, **options: Any) -> list[Any]:
    """Return the events of a response, each held against its type."""
    return exact_events(program.client().responses.create(model=MODEL, stream=True, **{"input": "Hello", **options}))


def types(events: list[Any]) -> list[str]:
    return [event.type for event in events]


def test_an_answer_comes_in_the_official_events(program: Program, model: Provider) -> None:
    model.script(Answer(reasoning=["hm, ", "so"], words=["Good ", "day."]))
    events = streamed(program)
    assert [kind for kind in types(events) if not kind.endswith(".delta")] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    deltas = {"response.output_text.delta": "Good day.", "response.reasoning_summary_text.delta": "hm, so"}
    for kind, text in deltas.items():
        assert "".join(event.delta for event in events if event.type == kind) == text
    final = events[-1].response
    exact(Response, final)
    assert final == program.client().responses.retrieve(events[0].response.id)
    done = [event.item for event in events if event.type == "response.output_item.done"]
    assert done == final.output


def test_the_clients_own_stream_puts_the_answer_together(program: Program, model: Provider) -> None:
    model.script(Answer(words=["Good ", "day."]))
    with program.client().responses.stream(model=MODEL, input="Hello") as stream:
        final = stream.get_final_response()
    assert final.output_text == "Good day."


def test_each_step_is_an_item_and_a_blank_one_is_none(program: Program, model: Provider) -> None:
    call = Call("calculator", '{"expression":"6 * 7"}')
    steps = [Answer(words=["Let me ", "see."], calls=[call]), Answer(words=["\n"], calls=[call]), Answer(words=["42"])]
    model.script(*steps)
    events = streamed(program)
    done = [event.item.content[0].text for event in events if event.type == "response.output_item.done"]
    assert done == ["Let me see.", "42"]
    assert [item.to_dict() for item in events[-1].response.output] == [
        event.item.to_dict() for event in events if event.type == "response.output_item.done"
    ]


def test_the_limit_of_the_answer_ends_it_incomplete(program: Program, model: Provider) -> None:
    body = {"choices": [{"index": 0, "delta": {"content": "cut"}, "finish_reason": "length"}]}
    model.script(Answer(raw=[f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n".encode()]))
    *_, item, last = streamed(program)
    assert (item.item.status, last.type) == ("incomplete", "response.incomplete")
    assert last.response.incomplete_details.reason == "max_output_tokens"


def test_a_failure_in_the_midst_is_told_in_the_stream(program: Program, model: Provider) -> None:
    model.script(Answer(words=["one ", "two"], error=1))
    events = streamed(program)
    assert types(events)[-2:] == ["response.output_item.done", "response.failed"]
    failed = events[-1].response
    assert (failed.status, failed.error.code, failed.output[0].status) == ("failed", "server_error", "incomplete")
    assert failed.error.message
    assert program.client().responses.retrieve(failed.id) == failed


def test_a_failure_before_a_word_is_told_in_the_stream(program: Program, model: Provider) -> None:
    model.script(Answer(status=400))
    assert types(streamed(program)) == ["response.created", "response.in_progress", "response.failed"]


def test_a_stopped_answer_ends_incomplete_and_cancelled(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    client = program.client()
    stream: Any = client.responses.create(model=MODEL, input="Hello", stream=True)
    events: list[Any] = [next(stream)]
    while events[-1].type != "response.output_text.delta":
        events.append(next(stream))
    cancelled = client.responses.cancel(events[0].response.id)
    exact(Response, cancelled)
    events += list(stream)
    assert (cancelled.status, cancelled.output_text) == ("cancelled", "one ")
    assert exact_events(events)[-1].type == "response.incomplete"
    assert events[-1].response == cancelled


def test_a_client_that_leaves_stops_nothing(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    with program.page() as page:
        stream: Any = program.client().responses.create(model=MODEL, input="Bye", stream=True)
        begun = next(stream)
        stream.close()
        gate.open()
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "turn.ended")
    assert program.client().responses.retrieve(begun.response.id).output_text == "one two"


def test_a_revoked_token_ends_the_stream_and_not_the_turn(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    stream: Any = program.client().responses.create(model=MODEL, input="Secret", stream=True)
    next(stream)
    gate.stood(PATIENCE)
    program.site.database.run(_REVOKE, program.user)
    last = list(stream)[-1]
    assert (last.type, last.code) == ("error", "invalid_api_key")
    gate.open()


def test_a_deleted_chat_ends_the_stream(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    stream: Any = program.client().responses.create(model=MODEL, input="Hello", stream=True)
    next(stream)
    gate.stood(PATIENCE)
    [session] = program.sessions()
    with program.page() as page:
        page.call("session.delete", session_id=session["id"])
    last = list(stream)[-1]
    assert last.type in ("error", "response.incomplete")
    gate.open()


def test_a_response_that_runs_is_streamed_again_from_its_beginning(program: Program, model: Provider) -> None:
    call, gate = Call("calculator", '{"expression":"6 * 7"}'), Gate()
    model.script(Answer(words=["Let me see."], calls=[call]), Answer(words=["It ", "is ", "42."], gates={1: gate}))
    client = program.client()
    begun = client.responses.create(model=MODEL, input="What is 6 * 7?", background=True)
    gate.stood(PATIENCE)
    stream: Any = client.responses.retrieve(begun.id, stream=True)
    events = [next(stream), next(stream)]
    gate.open()
    events += list(stream)
    done = [event.item.content[0].text for event in exact_events(events) if event.type == "response.output_item.done"]
    assert done == ["Let me see.", "It is 42."]
    assert events[-1].response == client.responses.retrieve(begun.id)
    replayed = exact_events(client.responses.retrieve(begun.id, stream=True))
    assert [event.item for event in replayed if event.type == "response.output_item.done"] == events[-1].response.output
    with pytest.raises(openai.BadRequestError):
        client.responses.retrieve(begun.id, stream=True, starting_after=3)
