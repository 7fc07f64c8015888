"""What a model does besides talking: tools that are run and stored, steps, reasoning."""

from __future__ import annotations

from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.models import Message
from sessions_app.turns import run
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, said, types

pytestmark = pytest.mark.one_database

CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


async def test_tools_are_run_and_stored(host: Host, session: NewSession, provider: Provider) -> None:
    provider.script(Answer(["Let me see. "], calls=[CALCULATE]), Answer(["42."]))
    chat = await session()
    asked = await host.ask(chat, "6 * 7?")
    await host.listener.end_of(asked.run_id)
    assert await said(chat) == [
        ("user", "6 * 7?", "complete"),
        ("assistant", "Let me see. ", "complete"),
        ("tool", "42", "complete"),
        ("assistant", "42.", "complete"),
    ]
    events = host.listener.run(asked.run_id)
    assert types(events) == [
        "RUN_STARTED",
        "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT",
        "TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT", "TEXT_MESSAGE_END",
        "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]  # fmt: skip
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    await the_ids_agree_with_what_is_stored(host, chat, asked.run_id)


async def the_ids_agree_with_what_is_stored(host: Host, chat: UUID, run_id: UUID) -> None:
    stored = await database.read(lambda: [str(m.public_id) for m in Message.objects.order_by("position")])
    events = [event["event"] for event in host.listener.run(run_id)]
    starts = [event["messageId"] for event in events if event["type"] == "TEXT_MESSAGE_START"]
    [result] = [event for event in events if event["type"] == "TOOL_CALL_RESULT"]
    assert [starts[0], result["messageId"], starts[1]] == stored[1:]
    created = [e["event"]["value"] for e in host.listener.events if e["event"].get("name") == "message.created"]
    assert [message["id"] for message in created] == stored
    assert result["content"] == "42"


async def test_several_calls_and_several_steps(host: Host, session: NewSession, provider: Provider) -> None:
    wrong = [Call("calculator", "{}"), Call("calculator", "not JSON"), Call("no such tool", "{}")]
    provider.script(Answer(calls=[CALCULATE, *wrong]), Answer(calls=[CALCULATE]), Answer(["done"]))
    chat = await session()
    turn = await host.turn(chat)
    roles = [role for role, _, _ in await said(chat)]
    assert roles == ["user", "assistant", "tool", "tool", "tool", "tool", "assistant", "tool", "assistant"]
    texts = [text for role, text, _ in await said(chat) if role == "tool"]
    assert texts[0] == texts[4] == "42"
    assert all(text.startswith("Error: ") for text in texts[1:4])
    assert turn.status == "complete"
    assert len(provider.requests) == 3


async def test_a_model_that_calls_tools_for_ever_is_stopped(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MAX_STEPS", 3)
    provider.script(*[Answer(calls=[CALCULATE]) for _ in range(3)])
    chat = await session()
    turn = await host.turn(chat)
    assert (turn.status, turn.error_code, len(provider.requests)) == ("failed", "provider", 3)
    assert (await host.turn(chat)).status == "complete"


async def test_reasoning_is_told_and_is_no_part_of_the_answer(
    host: Host, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer(["Yes."], reasoning=["Hmm, ", "well."]))
    chat = await session()
    asked = await host.ask(chat)
    await host.listener.end_of(asked.run_id)
    events = host.listener.run(asked.run_id)
    thoughts = [e["event"]["delta"] for e in events if e["event"]["type"] == "REASONING_MESSAGE_CONTENT"]
    assert "".join(thoughts) == "Hmm, well."
    assert host.listener.text(asked.run_id) == "Yes."
    assert (await said(chat))[1] == ("assistant", "Yes.", "complete")


@pytest.mark.both_databases
async def test_a_call_whose_name_and_id_cannot_be_stored_spoils_neither_turn_nor_session(
    host: Host, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer(calls=[Call("no\ud800\0", "{}", "c\ud800\0")]), Answer(["done"]))
    chat = await session()
    assert (await host.turn(chat)).status == "complete"
    view = await host.open(chat)
    assert [message.text for message in view["messages"]][2:] == ["Error: there is no tool 'no\ufffd\ufffd'.", "done"]
    assert all(message.model_dump_json() for message in view["messages"])
    assert (await host.turn(chat, "again")).status == "complete"


async def test_two_calls_of_one_id_each_have_their_result(host: Host, session: NewSession, provider: Provider) -> None:
    calls = [Call("calculator", f'{{"expression": "{number} + 0"}}', "c1") for number in (1, 2)]
    provider.script(Answer(calls=calls), Answer(["done"]))
    turn = await host.turn(await session())
    _, _, asking_message, *results = provider.requests[-1].json["messages"]
    ids = [call["id"] for call in asking_message["tool_calls"]]
    assert [(result["tool_call_id"], result["content"]) for result in results] == [(ids[0], "1"), (ids[1], "2")]
    events = [event["event"] for event in host.listener.run(turn.run_id)]
    for kind in ("TOOL_CALL_START", "TOOL_CALL_END", "TOOL_CALL_RESULT"):
        assert [event["toolCallId"] for event in events if event["type"] == kind] == ids
    assert len(set(ids)) == 2
