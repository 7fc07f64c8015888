"""Which session a conversation goes on in that has calls of the program's own tools, and their results.

All thorough: the suite asks it without tools (`test_recognition`), and of tools what is stored (`test_tools`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from tests.openai_api.conftest import Program, conversation
from tests.openai_api.weather import TOOLS, ask, asks, called, result, run_tools, tool
from tests.providers.fixtures import Provider
from tests.providers.script import Answer

pytestmark = pytest.mark.thorough

SUNNY = Answer(words=["Sunny."])


def begun(program: Program, model: Provider) -> list[Any]:
    """A conversation of which the model has asked for the weather of two cities, and the page's session of it."""
    model.script(Answer(calls=[asks("Bonn", "c1"), asks("Rome", "c2")]))
    messages: list[Any] = conversation("Bonn and Rome?")
    ask(program.client(), messages)
    return messages[:1]


def told(program: Program, model: Provider, messages: list[Any], answer: str, **options: Any) -> None:
    model.script(Answer(words=[answer]))
    assert ask(program.client(), list(messages), **options).content == answer


CALLED = called(("c1", "Bonn"), ("c2", "Rome"))
RESULTS = [result("c1", "sun"), result("c2", "rain")]


def test_arguments_written_otherwise_and_results_in_any_order_are_known(program: Program, model: Provider) -> None:
    asked = begun(program, model)
    told(program, model, [*asked, CALLED, *RESULTS[::-1]], "Mixed.")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Bonn and Rome?", "", "sun", "rain", "Mixed."]
    told(program, model, [*asked, CALLED, *RESULTS, {"role": "assistant", "content": "Mixed."}, *asked], "Again.")
    assert len(program.sessions()) == 1
    assert model.requests[-1].json["messages"][2]["tool_calls"][0]["function"]["arguments"].count('"Bonn"') == 1


@pytest.mark.parametrize("edited", [0, 1])
def test_an_edited_result_is_a_branch(program: Program, model: Provider, edited: int) -> None:
    asked = begun(program, model)
    told(program, model, [*asked, CALLED, *RESULTS], "Mixed.")
    other = list(RESULTS)
    other[edited] = {**other[edited], "content": "snow"}
    told(program, model, [*asked, CALLED, *other], "Snow!")
    [session] = program.sessions()
    assert program.texts(session["id"])[2:] == [other[0]["content"], other[1]["content"], "Snow!"]
    first, second = (request.json["messages"] for request in model.requests[1:])
    at = len(first) - 2 + edited
    assert first[:at] == second[:at]
    told(program, model, [*asked, CALLED, *RESULTS, {"role": "assistant", "content": "Mixed."}, *asked], "Back.")
    assert program.texts(session["id"])[2:] == ["sun", "rain", "Mixed.", "Bonn and Rome?", "Back."]


def test_the_same_results_again_are_another_answer(program: Program, model: Provider) -> None:
    asked = begun(program, model)
    told(program, model, [*asked, CALLED, *RESULTS], "Mixed.")
    told(program, model, [*asked, CALLED, *RESULTS], "Other.")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Bonn and Rome?", "", "sun", "rain", "Other."]
    assert model.bodies[-1] == model.bodies[-2]
    with program.page() as page:
        answer = page.call("session.open", session_id=session["id"])["result"]["messages"][-1]
    assert len(answer["alternatives"]) == 1


def test_results_after_a_failure_are_answered_where_they_stand(program: Program, model: Provider) -> None:
    asked = begun(program, model)
    model.script(Answer(status=400))
    with pytest.raises(openai.InternalServerError):
        ask(program.client(), [*asked, CALLED, *RESULTS])
    told(program, model, [*asked, CALLED, *RESULTS], "Mixed.")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Bonn and Rome?", "", "sun", "rain", "Mixed."]


@pytest.mark.parametrize("tools", [[], [*TOOLS, tool("other")], [tool("weather", description="Another.")]])
def test_other_tools_make_another_session(program: Program, model: Provider, tools: list[Any]) -> None:
    asked = begun(program, model)
    told(program, model, [*asked, CALLED, *RESULTS], "Mixed.", tools=tools or openai.NOT_GIVEN)
    assert len(program.sessions()) == 2
    newest = program.sessions()[0]["id"]
    assert program.texts(newest) == ["Bonn and Rome?", "", "sun", "rain", "Mixed."]
    told(program, model, [*asked, CALLED, *RESULTS], "Mine.")
    assert len(program.sessions()) == 2


def test_tools_in_another_order_are_the_same(program: Program, model: Provider) -> None:
    model.script(Answer(words=["A1"]), Answer(words=["A2"]))
    tools = [*TOOLS, tool("other")]
    messages = conversation("Q1")
    ask(program.client(), messages, tools=tools)
    ask(program.client(), [*messages, *conversation("Q2")], tools=tools[::-1])
    assert len(program.sessions()) == 1


def test_a_history_never_seen_is_stored_with_its_calls(program: Program, model: Provider) -> None:
    history = [*conversation("Bonn?"), called(("x1", "Bonn"), text="See."), result("x1", "sun")]
    history += [{"role": "assistant", "content": "Sunny."}, *conversation("And Rome?")]
    told(program, model, [*history, called(("x2", "Rome")), result("x2", "rain")], "Rainy.")
    sent = model.requests[-1].json["messages"][1:]
    assert [each["role"] for each in sent] == ["user", "assistant", "tool", "assistant", "user", "assistant", "tool"]
    assert [each["content"] for each in sent if each["role"] == "tool"] == ["sun", "rain"]
    assert sent[1]["tool_calls"][0]["id"] == "x1"
    [session] = program.sessions()
    assert session["title"] == "Bonn?"
    assert program.texts(session["id"])[-4:] == ["And Rome?", "", "rain", "Rainy."]
    told(program, model, [*history, called(("x2", "Rome")), result("x2", "snow")], "Snowy.")
    assert len(program.sessions()) == 1


def test_an_edited_call_is_a_branch(program: Program, model: Provider) -> None:
    asked = begun(program, model)
    other = called(("c1", "Oslo"))
    told(program, model, [*asked, other, result("c1", "ice")], "Cold.", extra_headers={"X-Session-Id": "mine"})
    told(
        program,
        model,
        [*asked, called(("c1", "Bern")), result("c1", "fog")],
        "Fog.",
        extra_headers={"X-Session-Id": "mine"},
    )
    named = program.sessions()[0]["id"]
    assert program.texts(named) == ["Bonn and Rome?", "", "fog", "Fog."]
    assert b"Oslo" not in model.bodies[-1]


def test_two_programs_that_do_the_same_at_once_never_meet(program: Program, model: Provider) -> None:
    def one(number: int) -> list[Any]:
        messages: list[Any] = conversation("Bonn?")
        client = program.client()
        for _ in range(3):
            if not ask(client, messages).tool_calls:
                break
            run_tools(messages)
        return messages

    # Not in the order of a script: a model that calls whatever it is asked, until it has results.
    answers = [Answer(calls=[asks("Bonn", "same")]) for _ in range(4)]
    model.script(*answers)
    with ThreadPoolExecutor(2) as both:
        talks = list(both.map(one, range(2)))
    sessions = program.sessions()
    assert len(sessions) == 2
    assert sorted(session["message_count"] for session in sessions) == sorted(len(talk) for talk in talks)


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([result("c1", "sun")], "messages[0].role"),
        ([*conversation("Q"), result("c1", "sun")], "messages[1].role"),
        ([*conversation("Q"), called(("c1", "Bonn"))], "messages[1]"),
        ([*conversation("Q"), called(("c1", "Bonn")), *conversation("Q")], "messages[1]"),
        ([*conversation("Q"), called(("c1", "Bonn"), ("c2", "Rome")), result("c2", "sun")], "messages[1]"),
        ([*conversation("Q"), called(("c1", "Bonn")), result("c3", "sun")], "messages[2].tool_call_id"),
        (
            [*conversation("Q"), called(("c1", "Bonn")), result("c1", "a"), result("c1", "b")],
            "messages[3].tool_call_id",
        ),
        ([*conversation("Q"), called(("c1", "Bonn"), ("c1", "Rome")), result("c1", "a")], "messages[1].tool_calls"),
        ([*conversation("Q"), called(("c1", "Bonn")), {"role": "tool", "content": "a"}], "messages[2].tool_call_id"),
        ([*conversation("Q"), called(("c1", "Bonn")), {**result("c1", "a"), "content": None}], "messages[2].content"),
        ([*conversation("Q"), called(("c1", "Bonn")), result("c1", "a\0b")], "messages[2].content"),
        ([*conversation("Q"), called(("c1", "Bonn")), result("c1", "x" * 200_001)], "messages[2].content"),
        ([*conversation("Q"), called(("c" * 501, "Bonn")), result("c" * 501, "a")], "messages[1].tool_calls[0].id"),
        ([{**conversation("Q")[0], "tool_calls": CALLED["tool_calls"]}], "messages[0].tool_calls"),
        (
            [*conversation("Q"), {"role": "assistant", "tool_calls": [{"id": "c1", "type": "custom"}]}],
            "messages[1].tool_calls[0].type",
        ),
    ],
)
def test_orders_that_no_provider_takes_are_refused(refused_program: Program, messages: list[Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(refused_program.client(), messages)
    assert refused.value.param == param
