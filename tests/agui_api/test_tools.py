"""Tools of a client's own over several rounds, by AG-UI's official clients."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.agui_api.conftest import BOTH, Agent, Clients, Outcome
from tests.openai_api.conftest import Program
from tests.openai_api.test_bad_input import post
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"name": "weather", "description": "Tells the weather.", "parameters": SCHEMA},
    {"name": "clock", "description": "Tells the time."},
]
PARIS, ROME = Call("weather", '{"city":"Paris"}', "call_p"), Call("weather", '{"city":"Rome"}', "call_r")
CLOCK, SUM = Call("clock", "{}", "call_c"), Call("calculator", '{"expression":"6 * 7"}', "call_s")


def bring(agent: Agent, call_id: str, text: str) -> None:
    """Add what a tool has brought, as applications do."""
    agent.do("addMessage", {"id": f"result of {call_id}", "role": "tool", "toolCallId": call_id, "content": text})


def spoken(told: Outcome) -> list[tuple[str, str]]:
    return [(each["role"], each.get("content") or "") for each in told.messages if each["role"] != "reasoning"]


@BOTH
def test_calls_of_two_rounds_and_a_reload(clients: Clients, program: Program, model: Provider, version: str) -> None:
    model.script(
        Answer(words=["Let me see."], calls=[PARIS, ROME]), Answer(calls=[CLOCK]), Answer(words=["Sunny."]), Answer()
    )
    agent = clients.agent("thread", version)
    first = agent.say("How is the weather?", tools=TOOLS)
    assert first.kinds[-2:] == ["TEXT_MESSAGE_END", "RUN_FINISHED"]
    assert "TOOL_CALL_RESULT" not in first.kinds
    assert [call["id"] for call in first.messages[-1]["toolCalls"]] == ["call_p", "call_r"]
    bring(agent, "call_r", "Rain")
    bring(agent, "call_p", "Sun")
    second = agent.run(tools=TOOLS)
    assert [call["id"] for call in second.messages[-1]["toolCalls"]] == ["call_c"]
    bring(agent, "call_c", "Noon")
    third = agent.run(tools=TOOLS)
    assert third.texts[-1] == ("assistant", "Sunny.")
    loaded = clients.agent("thread", version).run()
    assert [each["id"] for each in loaded.messages] == [each["id"] for each in third.messages]
    assert sorted(spoken(loaded)) == sorted(spoken(third))
    agent.say("Thanks", tools=TOOLS)
    for before, after in zip(model.requests, model.requests[1:], strict=False):
        sent = before.json["messages"]
        assert after.json["messages"][: len(sent)] == sent
        assert after.json["tools"] == before.json["tools"]
    assert len(program.sessions()) == 1


@BOTH
def test_the_hosts_and_the_clients_tools_in_one_step(clients: Clients, model: Provider, version: str) -> None:
    model.script(Answer(calls=[SUM, PARIS]), Answer(words=["42, and sunny."]))
    agent = clients.agent("thread", version)
    first = agent.say("Both?", tools=TOOLS)
    assert [each["toolCallId"] for each in first.events if each["type"] == "TOOL_CALL_RESULT"] == ["call_s"]
    bring(agent, "call_p", "Sun")
    assert agent.run(tools=TOOLS).texts[-1] == ("assistant", "42, and sunny.")
    results = [each for each in model.requests[-1].json["messages"] if each["role"] == "tool"]
    assert sorted(each["content"] for each in results) == ["42", "Sun"]


@BOTH
def test_another_result_is_a_branch(clients: Clients, program: Program, model: Provider, version: str) -> None:
    model.script(Answer(calls=[PARIS]), Answer(words=["Sunny."]), Answer(words=["Wet."]), Answer(words=["Wet!"]))
    agent = clients.agent("thread", version)
    called = agent.say("Weather?", tools=TOOLS).messages
    bring(agent, "call_p", "Sun")
    agent.run(tools=TOOLS)
    other = {"id": "other", "role": "tool", "toolCallId": "call_p", "content": "Rain"}
    agent.do("setMessages", [*called, other])
    assert agent.run(tools=TOOLS).texts[-2:] == [("tool", "Rain"), ("assistant", "Wet.")]
    agent.do("setMessages", [*called, other])
    assert agent.run(tools=TOOLS).texts[-2:] == [("tool", "Rain"), ("assistant", "Wet!")]
    [session] = program.sessions()
    assert program.texts(session["id"])[-1] == "Wet!"


def test_a_result_that_was_written_anew_is_the_same(clients: Clients, program: Program, model: Provider) -> None:
    model.script(Answer(calls=[PARIS]), Answer(words=["Sunny."]), Answer(words=["Still."]))
    agent = clients.agent("thread")
    agent.say("Weather?", tools=TOOLS)
    bring(agent, "call_p", '{"sky": "blue", "wind": [1, 2]}')
    messages = agent.run(tools=TOOLS).messages
    written = '{"wind":[1,2],"sky":"blue"}'
    agent.do("setMessages", [{**each, "content": written} if each["role"] == "tool" else each for each in messages])
    assert agent.say("And now?", tools=TOOLS).texts[-1] == ("assistant", "Still.")
    assert len(program.sessions()) == 1
    agent.do("setMessages", [{**each, "content": "[]"} if each["role"] == "tool" else each for each in messages])
    assert agent.say("And now?", tools=TOOLS).last["code"] == "conflict"


def test_who_writes_instead_of_a_result_goes_on(clients: Clients, model: Provider) -> None:
    model.script(Answer(calls=[PARIS]), Answer(words=["Well."]))
    agent = clients.agent("thread")
    agent.say("Weather?", tools=TOOLS)
    assert agent.say("Never mind.", tools=TOOLS).texts[-1] == ("assistant", "Well.")


def test_a_result_alone_is_taken_at_the_end(clients: Clients, model: Provider) -> None:
    model.script(Answer(calls=[PARIS]), Answer(words=["Sunny."]))
    clients.agent("thread").say("Weather?", tools=TOOLS)
    other = clients.agent("thread")
    bring(other, "call_p", "Sun")
    assert other.run(tools=TOOLS).texts[-1] == ("assistant", "Sunny.")


def test_a_history_with_calls_becomes_a_thread(clients: Clients, program: Program, model: Provider) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    history = [
        {"id": "1", "role": "user", "content": "Oslo?"},
        {"id": "2", "role": "assistant", "toolCalls": [call]},
        {"id": "3", "role": "tool", "toolCallId": "c", "content": "Snow"},
    ]
    agent = clients.agent("thread", initialMessages=history)
    whole = agent.run(tools=TOOLS)
    assert whole.kinds[-1] == "RUN_FINISHED"
    sent = model.requests[-1].json["messages"]
    assert [each["role"] for each in sent[-3:]] == ["user", "assistant", "tool"]
    assert (sent[-2]["tool_calls"][0]["id"], sent[-1]["content"]) == ("c", "Snow")


@pytest.mark.parametrize(
    "given",
    [
        {"tools": [{"name": "a b", "description": ""}]},
        {"tools": [{"name": "f"}]},
        {"tools": [{"name": "f", "description": "", "parameters": []}]},
        {"tools": [{"name": "f", "description": "", "parameters": {"type": "string"}}]},
        {"tools": [{"name": "f", "description": ""}] * 2},
        {"messages": [{"id": "1", "role": "tool", "toolCallId": "x", "content": "y"}]},
        {"messages": [{"id": "1", "role": "tool", "toolCallId": "", "content": "y"}]},
        {"messages": [{"id": "1", "role": "assistant", "toolCalls": [{"id": "c", "type": "function"}]}]},
    ],
)
def test_broken_tools_and_stray_results_are_refused(refused_program: Program, given: dict[str, Any]) -> None:
    user = {"id": "0", "role": "user", "content": "Hello"}
    body = {"threadId": "t", "runId": "r", "messages": [user], **given}
    assert post(refused_program, json.dumps(body).encode(), "/ag-ui/")[0] == 400


def test_a_result_that_nobody_waits_for_is_refused(clients: Clients, model: Provider) -> None:
    model.script(Answer(calls=[PARIS, ROME]))
    agent = clients.agent("thread")
    called = agent.say("Weather?", tools=TOOLS).messages
    bring(agent, "call_p", "Sun")
    assert agent.run(tools=TOOLS).status == 400
    agent.do("setMessages", called)
    bring(agent, "call_x", "Sun")
    refused = agent.run(tools=TOOLS)
    assert (refused.status, "call_x" in refused.payload["error"]["message"]) == (400, True)
    assert len(model.requests) == 1
