"""Which session a conversation goes on in, of a program that sends all of it each time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.llm.talking import extends
from tests.openai_api.conftest import MODEL, Program, conversation
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate


def answers(model: Provider, *texts: str) -> None:
    model.script(*(Answer(words=[text]) for text in texts))


def test_a_whole_history_each_time_is_one_session_and_one_prompt(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2", "A3")
    program.say("Q1")
    program.say("Q1", "A1", "Q2")
    program.say("Q1", "A1", "Q2", "A2", "Q3")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "A2", "Q3", "A3"]
    for earlier, later in zip(model.bodies, model.bodies[1:], strict=False):
        assert extends(later, earlier)


def test_texts_are_compared_trimmed_and_the_stored_bytes_are_sent(program: Program, model: Provider) -> None:
    answers(model, " A1\n", "A2")
    program.say("\nQ1  ")
    program.say("Q1", "A1", "Q2")
    assert len(program.sessions()) == 1
    assert extends(model.bodies[1], model.bodies[0])
    assert [each["content"] for each in model.requests[1].json["messages"][1:]] == ["\nQ1  ", " A1\n", "Q2"]


def test_an_edited_history_is_a_branch_and_the_bytes_before_stay(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2", "A3", "other")
    program.say("Q1")
    program.say("Q1", "A1", "Q2")
    program.say("Q1", "A1", "Q2", "A2", "Q3")
    program.say("Q1", "A1", "Q2", "A2", "changed")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "A2", "changed", "other"]
    assert extends(model.bodies[3], model.bodies[1])
    with program.page() as page:
        messages = page.call("session.open", session_id=session["id"])["result"]["messages"]
    assert [len(message["alternatives"]) for message in messages] == [0, 0, 0, 0, 1, 0]


def test_an_edited_answer_is_a_branch_with_what_follows(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2", "A3")
    program.say("Q1")
    program.say("Q1", "A1", "Q2")
    program.say("Q1", "A1", "Q2", "better", "Q3")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "better", "Q3", "A3"]
    assert [each["content"] for each in model.requests[2].json["messages"][1:]] == ["Q1", "A1", "Q2", "better", "Q3"]


def test_an_earlier_line_is_gone_on_with_where_it_ends(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2", "other", "A3")
    program.say("Q1")
    program.say("Q1", "A1", "Q2")
    program.say("Q1", "A1", "changed")
    program.say("Q1", "A1", "Q2", "A2", "Q3")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "A2", "Q3", "A3"]


def test_the_same_again_is_another_answer_to_it(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2", "again")
    program.say("Q1")
    program.say("Q1", "A1", "Q2")
    program.say("Q1", "A1", "Q2")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "again"]
    assert model.bodies[2] == model.bodies[1]


def test_what_the_page_said_meanwhile_stays_as_another_branch(program: Program, model: Provider) -> None:
    answers(model, "A1", "by hand", "A2")
    program.say("Q1")
    [session] = program.sessions()
    with program.page() as page:
        page.call("session.open", session_id=session["id"])
        page.call("turn.start", session_id=session["id"], text="from the page")
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")
    program.say("Q1", "A1", "Q2")
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "A2"]
    program.say("Q1", "A1", "from the page", "by hand", "Q3")
    assert len(program.sessions()) == 1


def test_a_chat_of_the_page_is_gone_on_with_by_a_program(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2")
    with program.page() as page:
        session_id = page.call("session.create")["result"]["session"]["id"]
        page.call("session.open", session_id=session_id)
        page.call("turn.start", session_id=session_id, text="Q1")
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")
    program.say("Q1", "A1", "Q2")
    assert program.texts(session_id) == ["Q1", "A1", "Q2", "A2"]


def test_a_history_that_nobody_knows_is_stored_with_a_new_session(program: Program, model: Provider) -> None:
    answers(model, "A3")
    program.say("Q1", "A1", "Q2", "A2", "Q3")
    [session] = program.sessions()
    assert (session["title"], program.texts(session["id"])) == ("Q1", ["Q1", "A1", "Q2", "A2", "Q3", "A3"])
    assert [each["content"] for each in model.requests[0].json["messages"][1:]] == ["Q1", "A1", "Q2", "A2", "Q3"]


def test_the_same_first_message_twice_is_two_sessions(program: Program, model: Provider) -> None:
    answers(model, "A1", "A1", "A2", "A2")
    with ThreadPoolExecutor() as pool:
        list(pool.map(program.say, ["Q1", "Q1"]))
    assert len(program.sessions()) == 2
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda asked: program.say("Q1", "A1", asked), ["one", "two"]))
    told = sorted(program.texts(session["id"])[2] for session in program.sessions())
    assert told == ["one", "two"]


@pytest.mark.parametrize(
    "other", [{"role": "system", "content": "Another."}, {"role": "developer", "content": "Another."}]
)
def test_another_system_prompt_is_another_session(program: Program, model: Provider, other: dict[str, Any]) -> None:
    answers(model, "A1", "A2", "A3")
    system = {"role": "system", "content": "The same."}
    program.say(system, "Q1")
    program.say(system, "Q1", "A1", "Q2")
    assert len(program.sessions()) == 1
    program.say(other, "Q1", "A1", "Q2")
    program.say("Q1", "A1", "Q2")
    assert len(program.sessions()) == 3


def test_a_session_with_a_turn_alive_is_not_taken(program: Program, model: Provider) -> None:
    gate = Gate()
    answers(model, "A1")
    program.say("Q1")
    model.script(Answer(words=["one ", "two"], gates={1: gate}), Answer(words=["beside"]))
    stream = program.client().chat.completions.create(model=MODEL, messages=conversation("Q1", "A1", "Q2"), stream=True)
    next(iter(stream))
    assert program.say("Q1", "A1", "Q3") == "beside"
    gate.open()
    list(stream)
    assert len(program.sessions()) == 2


@pytest.mark.parametrize("header", ["X-Session-Id", "X-OpenWebUI-Chat-Id", "X-Conversation-Id"])
def test_a_name_of_the_clients_own_names_one_session(program: Program, model: Provider, header: str) -> None:
    answers(model, "A1", "A2", "A1")
    named = {"extra_headers": {header: "my chat"}}
    program.say("Q1", **named)
    program.say("Q1", "A1", "Q2", **named)
    assert len(program.sessions()) == 1
    program.say("Q1", extra_headers={header: "another chat"})
    assert len(program.sessions()) == 2


def test_in_a_named_session_another_beginning_is_a_branch(program: Program, model: Provider) -> None:
    answers(model, "A1", "B1")
    named = {"extra_headers": {"X-Session-Id": "my chat"}}
    program.say("Q1", **named)
    program.say("something else", **named)
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["something else", "B1"]


def test_a_sessions_id_names_it(program: Program, model: Provider) -> None:
    answers(model, "A1", "A2")
    raw = program.client().chat.completions.with_raw_response.create(model=MODEL, messages=conversation("Q1"))
    session_id = raw.headers["X-Session-Id"]
    program.say("Q1", "A1", "Q2", extra_headers={"X-Session-Id": session_id})
    assert program.texts(session_id) == ["Q1", "A1", "Q2", "A2"]


def test_a_foreign_session_is_as_if_it_were_missing(program: Program, model: Provider) -> None:
    with program.page() as page:
        foreign = page.call("session.create")["result"]["session"]["id"]
    program.site.database.add_user(stranger := f"stranger{uuid4().hex[:8]}")
    other = Program(program.site, stranger)
    for name in (foreign, str(uuid4())):
        other.say("Let me in", extra_headers={"X-Session-Id": name})
        other.say("Let me in", "x", "more", extra_headers={"X-Session-Id": name})
    assert len(other.sessions()) == 2
    assert program.texts(foreign) == []
