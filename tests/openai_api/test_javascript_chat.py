"""Chat completions by OpenAI's official client for JavaScript and Vercel's AI SDK, unmodified, against a real site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.openai_api.conftest import Program
from tests.openai_api.test_javascript import NODE
from tests.processes import Process
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

FOLDER = Path(__file__).parent


def begin(program: Program, script: str, *arguments: str) -> Process:
    """Run a program in JavaScript as its user."""
    own = [f"{program.site.base_url}/v1", program.site.tokens[program.user]]
    return Process([str(NODE), str(FOLDER / script), *own, *arguments])


def result(process: Process) -> Any:
    """Return what such a program has found."""
    assert process.wait() == 0, "\n".join(process.output)
    return json.loads(process.output[-1])


def test_completions_streamed_and_not_are_one_session(program: Program, model: Provider) -> None:
    model.script(*(Answer(words=[f"A{number}"]) for number in (1, 2, 3)))
    assert result(begin(program, "chat.js", "completions")) == {
        "listed": True,
        "answer": "A1",
        "counted": True,
        "streamed": "A2",
        "finish": "stop",
        "helped": "A3",
    }
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "A2", "Q3", "A3"]


def test_errors_are_the_clients_own_classes_and_a_failed_turn_is_one(program: Program, model: Provider) -> None:
    model.script(Answer(status=400))
    assert result(begin(program, "chat.js", "errors")) == {
        "unknown": ["NotFoundError", 404, "model_not_found", "model"],
        "wrong": ["BadRequestError", 400, None, "n"],
        "denied": ["AuthenticationError", 401, "invalid_api_key", None],
        "failed": ["InternalServerError", 502, "provider", None],
        "attempts": [404, 400, 502],
    }
    assert len(model.requests) == 1


@pytest.mark.thorough
def test_the_client_waits_as_long_as_it_is_told(program: Program) -> None:
    program.site.restart(HERMES_CONNECTIONS_PER_USER="1")
    try:
        with program.page():
            running = begin(program, "chat.js", "waiting")
            seconds = int(running.line("refused").split()[-1])
        told = result(running)
        assert (told["models"], told["statuses"]) == (True, [429, 200])
        # Not by its own choice, which is half a second at most.
        assert told["waited"] > 900 * seconds
    finally:
        program.site.restart(HERMES_CONNECTIONS_PER_USER="50")


def test_a_client_that_aborts_its_request_stops_nothing(program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    with program.page() as page:
        assert result(begin(program, "chat.js", "leaving")) == "one "
        gate.open()
        ended = page.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "turn.ended")
    assert program.texts(ended["params"]["session_id"]) == ["Bye", "one two"]


@pytest.mark.thorough
def test_a_chat_of_the_ai_sdk_is_one_session_and_its_tools_are_called(program: Program, model: Provider) -> None:
    calling = Answer(calls=[Call("weather", '{"city":"Bonn"}')])
    model.script(*(Answer(words=[f"A{number}"]) for number in (1, 2, 3)), calling, Answer(words=["It rains."]))
    told = result(begin(program, "ai_sdk.js"))
    status, is_retried, message = told.pop("refused")
    assert (status, is_retried) == (404, False)
    assert "nobody" in message
    assert told.pop("told") == [2, "Bonn: rain", "It rains."]
    assert told == {"texts": ["A1", "A2", "A3"], "finish": ["stop", "stop"], "counted": True}
    with_tool, chat = (program.texts(session["id"]) for session in program.sessions())
    assert chat == ["Q1", "A1", "Q2", "A2", "Q3", "A3"]
    assert with_tool == ["Bonn?", "", "Bonn: rain", "It rains."]
    assert [each["content"] for each in model.requests[0].json["messages"]] == ["Be brief.", "Q1"]
