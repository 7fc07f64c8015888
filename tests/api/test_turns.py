"""The turn methods over the wire; what a turn is, tests/turns tries."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.test import override_settings

from tests.api.client import Client
from tests.api.conftest import Connect
from tests.providers.script import Gate


async def opened(client: Client) -> str:
    session_id: str = (await client.call("session.create"))["session"]["id"]
    await client.call("session.open", session_id=session_id)
    return session_id


async def test_a_turn_is_answered_streamed_and_stored(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    message_id = str(uuid4())
    started = await client.call("turn.start", session_id=session_id, text="Hello\n", message_id=message_id)
    assert (started["queued"], started["message"]["id"], started["message"]["text"]) == (False, message_id, "Hello\n")
    assert (started["message"]["position"], started["message"]["role"]) == (0, "user")
    assert (await client.fact("message.created")) == started["message"]
    assert (await client.run_ends(started["run_id"]))["type"] == "RUN_FINISHED"
    messages = (await client.call("session.open", session_id=session_id))["messages"]
    assert messages[0] == started["message"]
    assert messages[-1]["role"] == "assistant"
    assert messages[-1]["text"]


async def test_the_same_message_again_is_the_same_turn_and_another_text_a_conflict(
    connect: Connect, owner: AbstractUser
) -> None:
    client = await connect(owner)
    session_id, message_id = await opened(client), str(uuid4())
    started = await client.call("turn.start", session_id=session_id, text="once", message_id=message_id)
    again = await client.call("turn.start", session_id=session_id, text="once", message_id=message_id.upper())
    assert again["run_id"] == started["run_id"]
    refusal = await client.refusal("turn.start", session_id=session_id, text="twice", message_id=message_id)
    assert refusal.code == -32004
    await client.run_ends(started["run_id"])


async def test_the_id_of_a_running_answer_is_a_conflict(connect: Connect, owner: AbstractUser, gate: Gate) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    run_id = (await client.call("turn.start", session_id=session_id, text="hi"))["run_id"]
    answer = (await client.call("session.open", session_id=session_id))["run"]["message_id"]
    assert (await client.refusal("turn.start", session_id=session_id, text="hi", message_id=answer)).code == -32004
    gate.open()
    assert (await client.run_ends(run_id))["type"] == "RUN_FINISHED"


@override_settings(HERMES_TURNS_PER_MINUTE=2)
async def test_too_many_turns_are_told_when_to_try_again(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    runs = [(await client.call("turn.start", session_id=session_id, text="hi"))["run_id"] for _ in range(2)]
    refusal = await client.refusal("turn.start", session_id=session_id, text="hi")
    assert refusal.code == -32003
    assert 0 < refusal.data["retry_after"] <= 60
    for run_id in runs:
        await client.run_ends(run_id)


async def test_a_second_turn_is_queued_and_a_running_one_stopped(
    connect: Connect, owner: AbstractUser, gate: Gate
) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    running = await client.call("turn.start", session_id=session_id, text="first")
    await gate.reached()
    queued = await client.call("turn.start", session_id=session_id, text="second")
    assert (running["queued"], queued["queued"], queued["message"]["position"]) == (False, True, None)
    entry = {"run_id": queued["run_id"], "message_id": queued["message"]["id"], "text": "second"}
    assert await client.fact("turn.queued") == entry
    assert (await client.call("session.open", session_id=session_id))["queued"] == [entry]
    assert await client.call("turn.stop", session_id=session_id) == {"stopped": True}
    assert (await client.run_ends(running["run_id"]))["outcome"] == {"type": "cancelled"}
    assert (await client.run_ends(queued["run_id"]))["outcome"] == {"type": "success"}
    for run in (running, queued):
        assert await client.call("turn.stop", session_id=session_id, run_id=run["run_id"]) == {"stopped": False}


async def test_the_list_says_in_which_sessions_a_turn_runs(connect: Connect, owner: AbstractUser, gate: Gate) -> None:
    client = await connect(owner)
    session_id, _ = await opened(client), await opened(client)
    running = await client.call("turn.start", session_id=session_id, text="first")
    await gate.reached()
    assert (await client.call("session.list"))["running"] == [session_id]
    gate.open()
    await client.run_ends(running["run_id"])
    assert (await client.call("session.list"))["running"] == []


async def test_a_queued_turn_is_withdrawn(connect: Connect, owner: AbstractUser, gate: Gate) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    running = await client.call("turn.start", session_id=session_id, text="first")
    queued = await client.call("turn.start", session_id=session_id, text="second")
    assert await client.call("turn.stop", session_id=session_id, run_id=queued["run_id"]) == {"stopped": True}
    assert (await client.fact("turn.withdrawn"))["run_id"] == queued["run_id"]
    gate.open()
    await client.run_ends(running["run_id"])
    assert (await client.call("session.open", session_id=session_id))["queued"] == []


async def test_who_opens_amid_an_answer_has_all_of_it(connect: Connect, owner: AbstractUser, gate: Gate) -> None:
    first, second = await connect(owner), await connect(owner)
    session_id = await opened(first)
    run_id = (await first.call("turn.start", session_id=session_id, text="hi"))["run_id"]
    await first.event(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    run = (await second.call("session.open", session_id=session_id))["run"]
    gate.open()
    text = run["text"]
    while (event := await second.event(lambda event: event["run_id"] == run_id))["event"]["type"] != "RUN_FINISHED":
        assert event["seq"] == run["seq"] + 1
        run["seq"] = event["seq"]
        if event["event"]["type"] == "TEXT_MESSAGE_CONTENT":
            assert event["event"]["metadata"]["offset"] == len(text)
            text += event["event"]["delta"]
    assert text == "one two "
    assert (await second.call("session.open", session_id=session_id))["messages"][-1]["text"] == text


async def test_deleting_ends_the_run_first(connect: Connect, owner: AbstractUser, gate: Gate) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    run_id = (await client.call("turn.start", session_id=session_id, text="hi"))["run_id"]
    await gate.reached()
    await client.call("session.delete", session_id=session_id)
    assert (await client.run_ends(run_id))["outcome"] == {"type": "cancelled"}
    assert await client.fact("session.deleted") == session_id


async def test_without_a_running_turn_there_is_nothing_to_stop(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    assert await client.call("turn.stop", session_id=session_id) == {"stopped": False}
    assert (await client.refusal("turn.stop", session_id=session_id, run_id=str(uuid4()))).code == -32001


async def test_a_closed_session_sends_no_run_events(connect: Connect, owner: AbstractUser) -> None:
    client = await connect(owner)
    session_id = await opened(client)
    assert await client.call("session.close", session_id=session_id) == {}
    watcher = await connect(owner)
    await watcher.call("session.open", session_id=session_id)
    run_id = (await client.call("turn.start", session_id=session_id, text="hi"))["run_id"]
    await watcher.run_ends(run_id)
    await client.call("session.list")
    assert {event["run_id"] for event in client.events} == {None}
