"""Threads and runs by AG-UI's official clients, old and new, unmodified: their own checks take every stream."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.agui_api.conftest import BOTH, NEW, OLD, Clients
from tests.openai_api.conftest import Program
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

CALL = Call("calculator", '{"expression":"6 * 7"}', "c")
_CALLS = [{"id": "c", "type": "function", "function": {"name": CALL.name, "arguments": CALL.arguments}}]
TEXT = ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"]


def sent(model: Provider) -> list[list[tuple[str, Any]]]:
    """What the provider was sent: who has said what, of each request."""
    return [[(each["role"], each.get("content")) for each in request.json["messages"]] for request in model.requests]


@pytest.mark.parametrize("version", [NEW, OLD])
def test_a_thread_is_a_session_in_the_page(clients: Clients, program: Program, model: Provider, version: str) -> None:
    model.script(Answer(words=["Good ", "day."]), Answer(words=["Good ", "night."]))
    agent = clients.agent("my thread", version)
    first = agent.say("Hello", "hello-1")
    assert first.kinds == ["RUN_STARTED", *TEXT, "RUN_FINISHED"]
    assert {event["threadId"] for event in first.events if "threadId" in event} == {"my thread"}
    second = agent.say("And now?")
    assert second.texts == [
        ("user", "Hello"),
        ("assistant", "Good day."),
        ("user", "And now?"),
        ("assistant", "Good night."),
    ]
    [session] = program.sessions()
    assert session["title"] == "Hello"
    assert program.texts(session["id"]) == [text for _, text in second.texts]


@pytest.mark.parametrize("version", [NEW, OLD])
def test_steps_with_tools_and_thoughts_pass(clients: Clients, model: Provider, version: str) -> None:
    model.script(
        Answer(reasoning=["Hm. ", "Maths."], words=["Let me see."], calls=[CALL]),
        Answer(words=["It is 42."]),
        Answer(words=["Yes."]),
    )
    agent = clients.agent(version=version)
    first = agent.say("What is 6 * 7?")
    reasoning = ["REASONING_START", "REASONING_MESSAGE_START", "REASONING_MESSAGE_CONTENT"]
    assert first.kinds == [
        "RUN_STARTED",
        *(*reasoning, "REASONING_MESSAGE_END", "REASONING_END"),
        *(*TEXT[:2], "TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT", TEXT[2]),
        *(*TEXT, "RUN_FINISHED"),
    ]
    assert first.texts[1:] == [("assistant", "Let me see."), ("tool", "42"), ("assistant", "It is 42.")]
    agent.say("Sure?")
    before, after = model.requests[1].json["messages"], model.requests[2].json["messages"]
    assert after[: len(before)] == before


@BOTH
def test_a_thread_by_the_id_of_a_session(clients: Clients, program: Program, model: Provider, version: str) -> None:
    with program.page() as page:
        session_id = page.call("session.create")["result"]["session"]["id"]
    agent = clients.agent(session_id, version)
    agent.say("Hello")
    assert [session["id"] for session in program.sessions()] == [session_id]
    assert program.texts(session_id)[0] == "Hello"


def test_the_runs_id_is_the_clients_where_it_is_a_free_uuid(clients: Clients, program: Program) -> None:
    run_id = str(uuid4())
    agent = clients.agent("one")
    started = agent.say("Hello", runId=run_id).events[0]
    assert (started["runId"], started["protocolVersion"]) == (run_id, "1.0")
    other = clients.agent("two")
    assert other.say("Hello", runId=run_id).events[0]["runId"] == run_id
    told = [turn for session in program.sessions() for turn in turns(program, session["id"])]
    assert run_id in told
    assert len(set(told)) == 2


def turns(program: Program, session_id: str) -> list[str]:
    """The ids of a session's runs, as the database has them."""
    rows = program.site.database.run(
        "SELECT run_id FROM sessions_app_turn WHERE chat_session_id = %s", UUID(session_id).hex
    )
    return [str(UUID(str(row[0]))) for row in rows]


def test_new_messages_alone_are_taken_at_the_end(clients: Clients, model: Provider) -> None:
    model.script(Answer(words=["A1"]), Answer(words=["A2"]))
    clients.agent("thread").say("Q1")
    clients.agent("thread").say("Q2")
    assert sent(model)[1][-3:] == [("user", "Q1"), ("assistant", "A1"), ("user", "Q2")]


def test_several_new_messages_are_all_taken(clients: Clients, model: Provider) -> None:
    model.script(Answer(words=["A1"]), Answer(words=["A2"]))
    agent = clients.agent("thread")
    agent.say("Q1")
    agent.add("Q2")
    assert agent.say("Q3").texts[-3:] == [("user", "Q2"), ("user", "Q3"), ("assistant", "A2")]
    assert sent(model)[1][-3:] == [("assistant", "A1"), ("user", "Q2"), ("user", "Q3")]


def test_a_history_of_another_host_becomes_a_thread(clients: Clients, program: Program, model: Provider) -> None:
    model.script(Answer(words=["A2"]), Answer(words=["A3"]))
    history = [
        {"id": "s", "role": "system", "content": "Talk like a pirate."},
        {"id": "1", "role": "user", "content": "Q1"},
        {"id": "2", "role": "assistant", "content": "A1"},
    ]
    agent = clients.agent("thread", initialMessages=history)
    agent.say("Q2")
    agent.say("Q3")
    assert sent(model)[1] == [
        ("system", "Talk like a pirate."),
        *(("user", "Q1"), ("assistant", "A1"), ("user", "Q2"), ("assistant", "A2"), ("user", "Q3")),
    ]
    assert len(program.sessions()) == 1


@BOTH
def test_an_answer_asked_for_again_stands_beside_the_first(
    clients: Clients, program: Program, model: Provider, version: str
) -> None:
    model.script(*(Answer(words=[text]) for text in ("A1", "A2", "B2")))
    agent = clients.agent("thread", version)
    agent.say("Q1")
    last = agent.say("Q2").messages[:-1]
    agent.do("setMessages", last)
    again = agent.run()
    assert again.texts == [("user", "Q1"), ("assistant", "A1"), ("user", "Q2"), ("assistant", "B2")]
    assert model.bodies[1] == model.bodies[2]
    [session] = program.sessions()
    with program.page() as page:
        opened = page.call("session.open", session_id=session["id"])["result"]
    assert [each["text"] for each in opened["messages"]] == ["Q1", "A1", "Q2", "B2"]
    assert len(opened["messages"][-1]["alternatives"]) == 1


@BOTH
def test_an_edit_makes_a_branch(clients: Clients, program: Program, model: Provider, version: str) -> None:
    model.script(*(Answer(words=[text]) for text in ("A1", "A2", "A3", "B2", "C4")))
    agent = clients.agent("thread", version)
    for text in ("Q1", "Q2", "Q3"):
        whole = agent.say(text)
    agent.do("setMessages", whole.messages[:2])
    edited = agent.say("Q2, better")
    assert edited.texts[2:] == [("user", "Q2, better"), ("assistant", "B2")]
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2, better", "B2"]
    # Back in the first line, which is shown again then.
    agent.do("setMessages", whole.messages)
    agent.say("Q4")
    assert program.texts(session["id"]) == ["Q1", "A1", "Q2", "A2", "Q3", "A3", "Q4", "C4"]
    assert sent(model)[-1][-7:] == [*((each["role"], each["content"]) for each in whole.messages), ("user", "Q4")]


def test_a_known_message_with_another_text_is_a_conflict(clients: Clients, program: Program, model: Provider) -> None:
    agent = clients.agent("thread")
    messages = agent.say("Q1").messages
    for changed in ({**messages[0], "content": "forged"}, {**messages[1], "content": "forged"}):
        others = [changed if each["id"] == changed["id"] else each for each in messages]
        agent.do("setMessages", others)
        refused = agent.say("Q2")
        assert refused.kinds == ["RUN_STARTED", "RUN_ERROR"]
        assert refused.last["code"] == "conflict"
    assert len(model.requests) == 1
    [session] = program.sessions()
    assert len(program.texts(session["id"])) == 2


def test_a_message_before_a_known_one_is_a_conflict(clients: Clients, model: Provider) -> None:
    agent = clients.agent("thread")
    messages = agent.say("Q1").messages
    agent.do("setMessages", [{"id": "new", "role": "user", "content": "Q0"}, *messages])
    assert agent.say("Q2").last["code"] == "conflict"
    assert len(model.requests) == 1


def test_an_answer_heard_in_part_is_the_same_answer(clients: Clients, program: Program, model: Provider) -> None:
    model.script(Answer(words=["one two"]), Answer(words=["A2"]))
    agent = clients.agent("thread")
    question, answer = agent.say("Q1").messages
    agent.do("setMessages", [question, {**answer, "content": "one"}])
    agent.say("Q2")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["Q1", "one two", "Q2", "A2"]
    assert sent(model)[1][-2] == ("assistant", "one two")


def test_answers_with_ids_of_the_clients_own_are_known_by_what_they_say(
    clients: Clients, program: Program, model: Provider
) -> None:
    model.script(Answer(words=["Let me see."], calls=[CALL]), Answer(words=["It is 42."]), Answer(words=["Yes."]))
    agent = clients.agent("thread")
    question, _, result, _ = agent.say("What is 6 * 7?").messages
    whole = {"id": "mine", "role": "assistant", "content": "Let me see.\nIt is 42.", "toolCalls": _CALLS}
    agent.do("setMessages", [question, whole, {**result, "id": "mine too", "toolCallId": "c"}])
    agent.say("Sure?")
    [session] = program.sessions()
    assert program.texts(session["id"]) == ["What is 6 * 7?", "Let me see.", "42", "It is 42.", "Sure?", "Yes."]
    assert b"mine" not in model.bodies[-1]
    # One that says something else is a branch.
    agent.do("setMessages", [question, {**whole, "toolCalls": [], "content": "It is 43."}])
    agent.say("Sure?")
    assert program.texts(session["id"])[:3] == ["What is 6 * 7?", "It is 43.", "Sure?"]


def test_messages_of_the_page_are_taken_up(clients: Clients, program: Program, model: Provider) -> None:
    model.script(*(Answer(words=[text]) for text in ("A1", "A2", "A3")))
    agent = clients.agent("thread")
    agent.say("Q1", "mine")
    [session] = program.sessions()
    with program.page() as page:
        page.call("session.open", session_id=session["id"])
        page.send("turn.start", session_id=session["id"], text="Q2")
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")
    loaded = clients.agent("thread").run()
    assert loaded.kinds == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert loaded.texts == [("user", "Q1"), ("assistant", "A1"), ("user", "Q2"), ("assistant", "A2")]
    assert loaded.messages[0]["id"] == "mine"
    agent.do("setMessages", loaded.messages)
    assert agent.say("Q3").texts[-1] == ("assistant", "A3")
    assert len(sent(model)[-1]) - len(sent(model)[0]) == 4


def test_the_same_ids_in_two_threads_are_two_messages(clients: Clients, program: Program) -> None:
    shared = str(uuid4())
    for thread in ("one", "two"):
        agent = clients.agent(thread)
        agent.say("Hello", shared)
        assert agent.say("More", "1").texts[0] == ("user", "Hello")
    assert len(program.sessions()) == 2


def test_ten_runs_an_edit_and_a_regeneration_send_the_same_beginning(clients: Clients, model: Provider) -> None:
    agent = clients.agent("thread")
    for number in range(10):
        whole = agent.say(f"Q{number}")
    agent.do("setMessages", whole.messages[:8])
    agent.say("Q4, better")
    agent.do("setMessages", whole.messages[:7])
    agent.run()
    *line, edited, again = [elements(request.body) for request in model.requests]
    for before, after in pairwise(line):
        assert after.startswith(before)
        assert len(after) > len(before)
    fork = len(line[3])
    assert edited[:fork] == line[4][:fork] == line[3]
    assert edited != line[4]
    assert again == line[3]


def elements(body: bytes) -> bytes:
    """The bytes of a request's messages, without what ends them."""
    start = body.index(b'"messages":[')
    return body[start : body.index(b"]", body.rindex(b'"content"'))]
