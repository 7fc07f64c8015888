"""Runs that are followed, joined, stopped, and that fail: what AG-UI's official clients make of each."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.agui_api.conftest import BOTH, NEW, Clients, NewClients
from tests.live import LiveSite
from tests.openai_api.conftest import Program
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate

CALL = Call("calculator", '{"expression":"6 * 7"}')
_REVOKE = "DELETE FROM sessions_app_apitoken WHERE owner_id = (SELECT id FROM auth_user WHERE username = %s)"


def only_session(program: Program) -> str:
    [session] = program.sessions()
    session_id: str = session["id"]
    return session_id


@BOTH
def test_a_lost_connection_is_resumed_by_the_runs_id(clients: Clients, model: Provider, version: str) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two ", "three"], gates={2: gate}))
    run_id = str(uuid4())
    first = clients.agent("thread", version)
    first.add("Hello", "mine")
    first.start(runId=run_id)
    while "two" not in first.until("TEXT_MESSAGE_CONTENT")["delta"]:
        pass
    first.do("abortRun")
    first.outcome()
    first.start(runId=run_id)
    first.until("TEXT_MESSAGE_CONTENT")
    gate.open()
    resumed = first.outcome()
    assert resumed.kinds == [
        *("RUN_STARTED", "MESSAGES_SNAPSHOT"),
        *("TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"),
        *("MESSAGES_SNAPSHOT", "RUN_FINISHED"),
    ]
    assert resumed.texts == [("user", "Hello"), ("assistant", "one two three")]
    assert resumed.messages[0]["id"] == "mine"
    assert {event["runId"] for event in resumed.events if "runId" in event} == {run_id}
    assert len(model.requests) == 1


@BOTH
def test_a_run_joined_amid_a_tool_call_is_told_whole(clients: Clients, model: Provider, version: str) -> None:
    in_call, at_end = Gate(), Gate()
    model.script(
        Answer(words=["Let me see."], calls=[CALL], gates={2: in_call}), Answer(words=["It is 42."], gates={0: at_end})
    )
    run_id = str(uuid4())
    first = clients.agent("thread", version)
    first.add("Q1")
    first.start(runId=run_id)
    first.until("TOOL_CALL_START")
    second = clients.agent("thread", version)
    second.start(runId=run_id)
    second.until("TEXT_MESSAGE_CONTENT")
    in_call.open()
    at_end.open()
    joined, whole = second.outcome(), first.outcome()
    assert joined.texts == whole.texts
    assert [call["function"]["name"] for call in joined.messages[1]["toolCalls"]] == ["calculator"]


@BOTH
def test_a_run_that_has_ended_is_told_from_what_is_stored(
    clients: Clients, program: Program, model: Provider, version: str
) -> None:
    model.script(Answer(reasoning=["Hm."], words=["Good day."]))
    agent = clients.agent("thread", version)
    run_id = str(uuid4())
    whole = agent.say("Hello", runId=run_id)
    again = agent.run(runId=run_id)
    assert again.kinds == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert again.texts == whole.texts
    assert [each["content"] for each in again.messages if each["role"] == "reasoning"] == ["Hm."]
    assert again.last["usage"] == whole.last["usage"]
    assert len(model.requests) == 1


def test_a_runs_id_that_is_no_uuid_is_resumed_as_well(clients: Clients, model: Provider) -> None:
    agent = clients.agent("thread")
    whole = agent.say("Hello", runId="run 1")
    again = agent.run(runId="run 1")
    assert (again.texts, again.last["runId"]) == (whole.texts, "run 1")
    assert len(model.requests) == 1


@BOTH
def test_a_client_that_leaves_stops_nothing(clients: Clients, program: Program, model: Provider, version: str) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}), Answer(words=["A2"]))
    agent = clients.agent("thread", version)
    agent.add("Q1")
    with program.page() as page:
        agent.start()
        agent.until("TEXT_MESSAGE_CONTENT")
        agent.do("abortRun")
        agent.outcome()
        gate.open()
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "turn.ended")
    assert program.texts(only_session(program)) == ["Q1", "one two"]
    agent.say("Q2")
    assert program.texts(only_session(program)) == ["Q1", "one two", "Q2", "A2"]


@BOTH
def test_what_is_said_while_a_run_goes_on_waits(
    clients: Clients, program: Program, model: Provider, version: str
) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}), Answer(words=["A2"]))
    first = clients.agent("thread", version)
    first.add("Q1")
    first.start()
    first.until("TEXT_MESSAGE_CONTENT")
    first.do("abortRun")
    first.outcome()
    first.add("Q2", "waits")
    with program.page() as page:
        first.start()
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "turn.queued")
    second = clients.agent("thread", version)
    second.start()
    waiting = second.until("MESSAGES_SNAPSHOT")["messages"]
    assert [each["id"] for each in waiting if each["role"] == "user"][-1] == "waits"
    gate.open()
    assert first.outcome().texts[-2:] == [("user", "Q2"), ("assistant", "A2")]
    second.outcome()
    assert program.texts(only_session(program)) == ["Q1", "one two", "Q2", "A2"]


@BOTH
@pytest.mark.parametrize("calls", [[], [CALL]])
def test_a_stopped_run_is_cancelled_or_just_ends(
    clients: Clients, program: Program, model: Provider, version: str, calls: list[Call]
) -> None:
    model.script(Answer(reasoning=["Hm."], words=["one ", "two"], calls=calls, gates={1 if not calls else 3: Gate()}))
    agent = clients.agent("thread", version)
    agent.add("Hello")
    agent.start()
    agent.until("TOOL_CALL_START" if calls else "TEXT_MESSAGE_CONTENT")
    with program.page() as page:
        assert page.call("turn.stop", session_id=only_session(program))["result"] == {"stopped": True}
    stopped = agent.outcome()
    assert stopped.last["type"] == "RUN_FINISHED"
    assert stopped.last.get("outcome") == ({"type": "cancelled"} if version == NEW else None)


@BOTH
def test_a_waiting_run_that_is_withdrawn_ends(
    clients: Clients, program: Program, model: Provider, version: str
) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    first, second = clients.agent("thread", version), clients.agent("thread", version)
    first.add("Q1")
    first.start()
    first.until("TEXT_MESSAGE_CONTENT")
    with program.page() as page:
        second.add("Q2")
        second.start()
        queued = page.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "turn.queued")
        value = queued["params"]["event"]["value"]
        page.call("turn.stop", session_id=only_session(program), run_id=value["run_id"])
    withdrawn = second.outcome()
    assert withdrawn.kinds == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert withdrawn.texts == [("user", "Q1")]
    gate.open()
    assert first.outcome().last["type"] == "RUN_FINISHED"


@BOTH
def test_an_edit_while_a_run_goes_on_is_a_conflict(clients: Clients, model: Provider, version: str) -> None:
    gate = Gate()
    model.script(Answer(words=["A1"]), Answer(words=["one ", "two"], gates={1: gate}))
    agent = clients.agent("thread", version)
    question = agent.say("Q1").messages[0]
    agent.add("Q2")
    agent.start()
    agent.until("TEXT_MESSAGE_CONTENT")
    other = clients.agent("thread", version, initialMessages=[question])
    assert other.say("Q2, better").last["code"] == "conflict"
    gate.open()
    agent.outcome()


@BOTH
def test_a_provider_that_fails_is_a_run_error(
    clients: Clients, program: Program, model: Provider, version: str
) -> None:
    model.script(Answer(status=400), Answer(words=["one ", "two"], error=1), Answer(words=["A2"]))
    agent = clients.agent("thread", version)
    refused = agent.say("Q1")
    assert (refused.kinds, refused.last["code"]) == (["RUN_STARTED", "RUN_ERROR"], "provider")
    broken = agent.run()
    assert broken.kinds[-2:] == ["TEXT_MESSAGE_END", "RUN_ERROR"]
    assert agent.say("Q2").texts[-1] == ("assistant", "A2")
    assert program.texts(only_session(program)) == ["Q1", "one ", "Q2", "A2"]


@BOTH
def test_a_deleted_chat_ends_its_run(clients: Clients, program: Program, model: Provider, version: str) -> None:
    model.script(Answer(words=["one ", "two"], gates={1: Gate()}), Answer(words=["A1"]))
    agent = clients.agent("thread", version)
    agent.add("Hello")
    agent.start()
    agent.until("TEXT_MESSAGE_CONTENT")
    with program.page() as page:
        page.call("session.delete", session_id=only_session(program))
    assert agent.outcome().last["type"] in ("RUN_ERROR", "RUN_FINISHED")
    agent.say("More")
    assert program.texts(only_session(program))[-1] == "A1"


def test_a_revoked_token_ends_its_stream_and_not_the_run(clients: Clients, program: Program, model: Provider) -> None:
    gate = Gate()
    model.script(Answer(words=["one ", "two"], gates={1: gate}))
    agent = clients.agent("thread")
    agent.add("Hello")
    agent.start()
    agent.until("TEXT_MESSAGE_CONTENT")
    program.site.database.run(_REVOKE, program.user)
    assert agent.outcome().last["code"] == "invalid_api_key"
    gate.open()


def test_a_summary_passes(clients: Clients, program: Program, model: Provider) -> None:
    model.script(Answer(words=["A1"]), Answer(words=["Sum."]), Answer(words=["A2"]))
    agent = clients.agent("thread")
    agent.say("Q1")
    session_id = only_session(program)
    with program.page() as page:
        run_id = page.call("session.compact", session_id=session_id)["result"]["run_id"]
        page.until(lambda frame: frame.get("params", {}).get("event", {}).get("name") == "turn.ended")
    told = agent.run(runId=run_id)
    assert told.kinds == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert told.texts == [("user", "Q1"), ("assistant", "A1")]
    assert agent.say("Q2").texts[-1] == ("assistant", "A2")


@pytest.mark.thorough
@BOTH
def test_a_run_whose_process_has_died_is_interrupted(
    clients: Clients, site: LiveSite, model: Provider, version: str
) -> None:
    model.script(Answer(words=["one ", "two"], gates={1: Gate()}), Answer(words=["A2"]))
    agent, run_id = clients.agent("thread", version), str(uuid4())
    agent.add("Hello")
    agent.start(runId=run_id)
    agent.until("TEXT_MESSAGE_CONTENT")
    site.kill()
    assert agent.outcome().failed
    site.restart()
    agent.start(runId=run_id)
    told = agent.outcome()
    assert (told.kinds[:2], told.last["code"]) == (["RUN_STARTED", "MESSAGES_SNAPSHOT"], "interrupted")
    assert agent.say("Q2").texts[-1] == ("assistant", "A2")


def test_what_is_refused_before_a_run_begins_has_a_status(clients: Clients, program: Program, site: LiveSite) -> None:
    outsider = clients.agent("thread", headers={"Authorization": "Bearer wrong"})
    refused = outsider.say("Hello")
    assert (refused.status, refused.payload["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.thorough
def test_too_many_turns_are_refused_with_a_time(
    start_site: Callable[..., LiveSite], loopback: Provider, new_clients: NewClients
) -> None:
    env = {"OPENAI_BASE_URL": loopback.base_url, "OPENAI_API_KEY": "loopback", "HERMES_TURNS_PER_MINUTE": "1"}
    site = start_site(HERMES_MODEL="openai-chat:loopback", **env)
    site.database.add_user("eager")
    clients = new_clients(site, "eager")
    agent = clients.agent("thread")
    agent.say("Q1")
    refused = agent.say("Q2")
    assert (refused.status, refused.payload["error"]["code"]) == (429, "rate_limit_exceeded")


def test_another_users_thread_and_run_are_unknown(
    clients: Clients, program: Program, site: LiveSite, new_clients: NewClients
) -> None:
    run_id = str(uuid4())
    clients.agent("thread").say("Secret", runId=run_id)
    session_id = only_session(program)
    site.database.add_user(f"{program.user} other")
    others = new_clients(site, f"{program.user} other")
    for thread in ("thread", session_id):
        told = others.agent(thread).say("Hello", runId=run_id)
        assert next(text for _, text in told.texts) == "Hello"
        assert "Secret" not in str(told.events)
    assert program.texts(session_id)[0] == "Secret"
    assert len(program.texts(session_id)) == 2
