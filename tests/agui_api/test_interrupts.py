"""Calls that a person must approve, as interrupts of AG-UI's official clients; the tools are a real server's."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agui_api.conftest import BOTH, Agent, Clients, Outcome
from tests.agui_api.test_tools import PARIS, TOOLS, bring
from tests.live import LiveSite
from tests.openai_api.conftest import Program
from tests.openai_api.test_bad_input import post
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call

SEND = Call("mail_send", '{"to":"Bo"}', "call_m")
COUNT = Call("mail_count", "{}", "call_n")
_ADD = """
import json
from django.utils import timezone
from sessions_app.models import AgentProfile, ToolServer, ToolServerTool
server = ToolServer.objects.create(name="mail", command={command!r})
server.profiles.add(AgentProfile.default())
one = {{"type": "object", "properties": {{"to": {{"type": "string"}}}}, "required": ["to"]}}
for name, standing, schema in (("send", "ask", one), ("count", "allowed", {{"type": "object", "properties": {{}}}})):
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    ToolServerTool.objects.create(
        server=server, name=name, full_name=f"mail_{{name}}", standing=standing, parameters=text,
        offered_parameters=text, listed_at=timezone.now(),
    )
"""


@pytest.fixture(scope="session")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the tool server has sent."""
    file = tmp_path_factory.mktemp("mails") / "sent"
    file.touch()
    return file


@pytest.fixture(scope="session")
def site(start_site: Callable[..., LiveSite], loopback: Provider, mails: Path) -> Iterator[LiveSite]:
    """A site whose profile has the tools of a mail server, one of which asks before."""
    env = {"OPENAI_BASE_URL": loopback.base_url, "OPENAI_API_KEY": "loopback", "HERMES_TURNS_PER_MINUTE": "1000"}
    started = start_site(HERMES_MODEL="openai-chat:loopback", **env)
    command = f"{sys.executable} -m tests.tool_servers.mail_server {mails}"
    started.manage("shell", "-c", _ADD.format(command=command))
    yield started
    assert started.stop() == 0
    assert started.errors() == []


@pytest.fixture
def sent(mails: Path) -> Callable[[], list[str]]:
    """Tells what was sent in this test."""
    mails.write_text("")
    return lambda: mails.read_text().splitlines()


def interrupts(told: Outcome) -> list[dict[str, Any]]:
    assert told.last["type"] == "RUN_FINISHED", told
    assert told.last["outcome"]["type"] == "interrupt"
    found: list[dict[str, Any]] = told.last["outcome"]["interrupts"]
    return found


def answer(agent: Agent, told: Outcome, payload: Any, **more: Any) -> Outcome:
    """Answer all interrupts of a run alike."""
    ids = [each["id"] for each in interrupts(told)]
    return agent.run(resume=[{"interruptId": each, "status": "resolved", "payload": payload} for each in ids], **more)


@BOTH
def test_an_approved_call_is_made_and_the_answer_goes_on(
    clients: Clients, model: Provider, sent: Callable[[], list[str]], version: str
) -> None:
    model.script(Answer(words=["One moment."], calls=[SEND, COUNT]), Answer(words=["Sent."]))
    agent = clients.agent("thread", version)
    asked = agent.say("Write to Bo.")
    [interrupt] = interrupts(asked)
    assert (interrupt["reason"], interrupt["toolCallId"]) == ("tool_approval", "call_m")
    assert interrupt["responseSchema"]["required"] == ["approved"]
    assert [each["toolCallId"] for each in asked.events if each["type"] == "TOOL_CALL_RESULT"] == ["call_n"]
    assert sent() == []
    done = answer(agent, asked, {"approved": True})
    assert done.last["outcome"] == {"type": "success"}
    assert sent() == ["Bo"]
    assert ("tool", "sent to Bo") in done.texts
    assert done.texts[-1] == ("assistant", "Sent.")
    assert agent.say("Thanks").last["type"] == "RUN_FINISHED"
    for before, after in zip(model.requests, model.requests[1:], strict=False):
        assert after.json["messages"][: len(before.json["messages"])] == before.json["messages"]


def test_a_refused_call_is_not_made_and_the_note_is_told(
    clients: Clients, model: Provider, sent: Callable[[], list[str]]
) -> None:
    model.script(Answer(calls=[SEND]), Answer(words=["I see."]))
    agent = clients.agent("thread")
    asked = agent.say("Write to Bo.")
    told = answer(agent, asked, {"approved": False, "note": "Not to Bo."})
    assert (told.texts[-1], sent()) == (("assistant", "I see."), [])
    assert model.requests[-1].json["messages"][-1]["content"].endswith("They say: Not to Bo.")


def test_who_gives_up_and_says_something_else_goes_on(
    clients: Clients, model: Provider, sent: Callable[[], list[str]]
) -> None:
    model.script(Answer(calls=[SEND]), Answer(words=["Fine."]))
    agent = clients.agent("thread")
    [interrupt] = interrupts(agent.say("Write to Bo."))
    agent.add("Never mind.")
    told = agent.run(resume=[{"interruptId": interrupt["id"], "status": "cancelled"}])
    assert (told.texts[-1], sent()) == (("assistant", "Fine."), [])


@pytest.mark.thorough
def test_what_was_decided_in_the_page_is_a_conflict_and_the_thread_goes_on(
    clients: Clients, program: Program, model: Provider, sent: Callable[[], list[str]]
) -> None:
    model.script(Answer(calls=[SEND]), Answer(words=["Sent."]), Answer(words=["Yes."]))
    agent = clients.agent("thread")
    asked = agent.say("Write to Bo.")
    [interrupt] = interrupts(asked)
    [session] = program.sessions()
    with program.page() as page:
        opened = page.call("session.open", session_id=session["id"])["result"]
        assert [each["id"] for each in opened["approvals"]] == [interrupt["id"]]
        decision = {"approval_id": interrupt["id"], "approve": True}
        page.call("turn.resume", session_id=session["id"], decisions=[decision])
        page.until(lambda told: told.get("params", {}).get("event", {}).get("type") == "RUN_FINISHED")
        again = page.call("turn.resume", session_id=session["id"], decisions=[decision])
        assert again["error"]["code"] == -32004
    late = answer(agent, asked, {"approved": True})
    assert (late.last["type"], late.last["code"]) == ("RUN_ERROR", "conflict")
    assert sent() == ["Bo"]
    agent.add("Done?")
    told = agent.run(resume=[{"interruptId": interrupt["id"], "status": "cancelled"}])
    assert told.texts[-1] == ("assistant", "Yes.")


def test_who_loads_the_thread_is_told_what_waits(
    clients: Clients, model: Provider, sent: Callable[[], list[str]]
) -> None:
    model.script(Answer(calls=[SEND]), Answer(words=["Sent."]))
    asked = clients.agent("thread").say("Write to Bo.")
    other = clients.agent("thread")
    loaded = other.run()
    assert interrupts(loaded) == interrupts(asked)
    assert answer(other, loaded, {"approved": True}).texts[-1] == ("assistant", "Sent.")
    assert sent() == ["Bo"]


@pytest.mark.thorough
def test_the_same_run_again_makes_no_call_again(
    clients: Clients, model: Provider, sent: Callable[[], list[str]]
) -> None:
    model.script(Answer(calls=[SEND]), Answer(words=["Sent."]))
    agent, other = clients.agent("thread"), clients.agent("thread")
    asked = agent.say("Write to Bo.")
    assert interrupts(other.run()) == interrupts(asked)
    for each in (agent, other):
        assert answer(each, asked, {"approved": True}, runId="the decision").texts[-1] == ("assistant", "Sent.")
    assert sent() == ["Bo"]


@pytest.mark.thorough
def test_results_and_decisions_come_in_one_request(
    clients: Clients, model: Provider, sent: Callable[[], list[str]]
) -> None:
    model.script(Answer(calls=[PARIS, SEND]), Answer(words=["Both done."]))
    agent = clients.agent("thread")
    asked = agent.say("Weather, and write to Bo.", tools=TOOLS)
    bring(agent, "call_p", "Sun")
    told = answer(agent, asked, {"approved": True}, tools=TOOLS)
    assert (told.texts[-1], sent()) == (("assistant", "Both done."), ["Bo"])
    results = [each["content"] for each in model.requests[-1].json["messages"] if each["role"] == "tool"]
    assert results == ["Sun", "sent to Bo"]


@pytest.mark.parametrize(
    "payload",
    [None, True, {}, {"approved": "yes"}, {"approved": True, "editedArgs": {"to": "Al"}}, {"approved": 1}],
)
def test_an_answer_that_says_nothing_is_refused(
    clients: Clients, program: Program, model: Provider, sent: Callable[[], list[str]], payload: Any
) -> None:
    model.script(Answer(calls=[SEND]))
    asked = clients.agent("thread").say("Write to Bo.")
    [interrupt] = interrupts(asked)
    entry = {"interruptId": interrupt["id"], "status": "resolved", "payload": payload}
    body = {"threadId": "thread", "runId": "next", "messages": [], "resume": [entry]}
    assert post(program, json.dumps(body).encode(), "/ag-ui/")[0] == 400
    assert sent() == []


def test_an_interrupt_that_nobody_knows_is_a_conflict(clients: Clients, model: Provider) -> None:
    entry = {"interruptId": "nobody's", "status": "resolved", "payload": {"approved": True}}
    told = clients.agent("thread").say("Hello", runId="first")
    assert told.last["type"] == "RUN_FINISHED"
    refused = clients.agent("thread").run(resume=[entry])
    assert (refused.last["type"], refused.last["code"]) == ("RUN_ERROR", "conflict")
