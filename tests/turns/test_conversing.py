"""Conversations that programs send whole: found by digests, stored with what each turn wants of its requests."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import connection

from sessions_app import database
from sessions_app.conversations.line_digests import Said
from sessions_app.models import AgentProfile, ChatSession, Message, MessageKind, SessionName
from sessions_app.session_store import chats, forking
from sessions_app.turn_store import continuing, recognising
from sessions_app.turn_store.brought_sessions import Moved
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turn_store.recognising import Found, Heard
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import ANTHROPIC, CHAT, RESPONSES, NewHost, NewSession
from tests.turns.foreign import foreign
from tests.turns.host import Host, idle, said, stored_turn, within

pytestmark = pytest.mark.one_database

FORM = {"type": "json_schema", "json_schema": {"name": "point", "schema": {"type": "object"}, "strict": True}}
WANTED = {
    "max_tokens": 99,
    "temperature": 0.25,
    "top_p": 0.5,
    "stop": ["END"],
    "reasoning_effort": "low",
    "response_format": FORM,
}
REACHES: dict[str, dict[str, Any]] = {
    CHAT: {**WANTED, "max_completion_tokens": 99},
    RESPONSES: {
        "max_output_tokens": 99,
        "temperature": 0.25,
        "top_p": 0.5,
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", **FORM["json_schema"]}},  # type: ignore[dict-item]
    },
    ANTHROPIC: {"max_tokens": 99, "temperature": 0.25, "top_p": 0.5, "stop_sequences": ["END"]},
}
# A server of OpenAI's wire is told by one of the two names.
del REACHES[CHAT]["max_tokens"]


async def heard(*texts: str, prompt: str | None = None, name: str | None = None) -> Heard:
    """A conversation of the default profile; texts are the user's and the assistant's in turn."""
    profile = await database.write(AgentProfile.default)
    each = tuple(Said(("user", "assistant")[number % 2], text) for number, text in enumerate(texts))
    return Heard(profile.pk, prompt, each, name)


async def converse(host: Host, *texts: str, sampling: dict[str, Any] | None = None, **options: Any) -> AcceptedTurn:
    """A whole turn of a conversation."""
    given = await heard(*texts, **options)
    asked = await within(host.runner.service.converse(host.user_id, given, sampling))
    await ended(host, asked.run_id)
    return asked


async def ended(host: Host, run_id: UUID) -> None:
    """Return once a turn has ended and the agent is free."""
    told = {"name": "turn.ended", "run_id": str(run_id)}
    await host.listener.until(
        lambda event: event["event"].get("name") == told["name"] and event["event"]["value"]["run_id"] == told["run_id"]
    )
    await idle(host)


@pytest.mark.parametrize("wire", [CHAT, RESPONSES, ANTHROPIC])
async def test_what_a_turn_wants_reaches_each_wire_and_changes_no_element(
    host: Host, provider: Provider, settings: Any, wire: str
) -> None:
    settings.HERMES_MODEL = wire
    provider.script(Answer(["A1"]), Answer(["A2"]), Answer(["A3"]))
    await converse(host, "Q1")
    await converse(host, "Q1", "A1", "Q2", sampling=WANTED)
    await converse(host, "Q1", "A1", "Q2", "A2", "Q3")
    plain_one, wanted, after = (request.json for request in provider.requests)
    assert {name: wanted.get(name) for name in REACHES[wire]} == REACHES[wire]
    assert [name for name in ("temperature", "top_p", "stop", "response_format") if name in after] == []
    elements = "input" if wire == RESPONSES else "messages"
    assert wanted[elements][: len(plain_one[elements])] == plain_one[elements]
    assert extends(provider.bodies[2], provider.bodies[0])


async def test_what_a_turn_wants_goes_with_it_to_another_process(
    new_host: NewHost, user: AbstractUser, provider: Provider
) -> None:
    given = await heard("Q1")
    say = continuing.say
    asked = await database.write(
        say, user.pk, given, Found(), {"temperature": 0.25}, process="of another time", accepting=False
    )
    host = await new_host()
    await host.runner.supervisor.look()
    await host.listener.fact("turn.ended")
    assert (await stored_turn(asked.run_id)).status == "complete"
    assert provider.requests[0].json["temperature"] == 0.25


async def test_a_place_that_has_changed_is_not_taken(host: Host, provider: Provider) -> None:
    provider.script(Answer(["A1"]), Answer(["A2"]))
    asked = await converse(host, "Q1")
    given = await heard("Q1", "A1", "Q2")
    found = await database.read(recognising.find, host.user_id, given)
    await converse(host, "Q1", "A1", "faster")
    before = await said(asked.turn.chat_session_id)
    with pytest.raises(Moved):
        await database.write(continuing.say, host.user_id, given, found, None, process="x", accepting=True)
    assert await said(asked.turn.chat_session_id) == before


@pytest.mark.both_databases
async def test_a_row_that_another_program_has_changed_is_no_longer_known(host: Host, provider: Provider) -> None:
    provider.script(Answer(["A1"]), Answer(["A2"]))
    first = await converse(host, "Q1")
    await asyncio.to_thread(foreign().run, "UPDATE sessions_app_message SET text = 'forged' WHERE text = 'A1'")
    second = await converse(host, "Q1", "A1", "Q2")
    assert second.turn.chat_session_id != first.turn.chat_session_id
    assert [text for _, text, _ in await said(second.turn.chat_session_id)] == ["Q1", "A1", "Q2", "A2"]


@pytest.mark.thorough
async def test_steps_tools_and_summaries_are_no_part_of_the_digest(host: Host, provider: Provider) -> None:
    call = Call("calculator", '{"expression":"6 * 7"}')
    provider.script(
        Answer(["Well."], calls=[call]), Answer(["42."]), Answer(["They said 42."]), Answer(["Yes."]), Answer(["No."])
    )
    first = await converse(host, "Q1")
    session_id = first.turn.chat_session_id
    compacted = await within(host.runner.service.compact(host.user_id, session_id))
    await ended(host, compacted.run_id)
    assert (await stored_turn(compacted.run_id)).status == "complete"
    second = await converse(host, "Q1", "Well.\n\n42.", "Sure?")
    assert second.turn.chat_session_id == session_id
    kinds = await database.read(lambda: list(Message.objects.order_by("position").values_list("role", "kind")))
    assert ("user", MessageKind.SUMMARY) in kinds
    third = await converse(host, "Q1", "Well.\n\n42.", "Sure?", "Yes.", "Really?")
    assert third.turn.chat_session_id == session_id


@pytest.mark.thorough
async def test_a_copy_is_known_by_what_it_holds(host: Host, provider: Provider) -> None:
    provider.script(Answer(["A1"]), Answer(["A2"]), Answer(["A3"]))
    first = await converse(host, "Q1", prompt="Be brief.")
    answer = await database.read(Message.objects.get, text="A1")
    copy = await database.write(forking.fork, host.user_id, answer.public_id)
    await database.write(ChatSession.objects.filter(pk=first.turn.chat_session_id).delete)
    second = await converse(host, "Q1", "A1", "Q2", prompt="Be brief.")
    assert second.turn.chat_session_id == copy.id


async def test_a_session_with_its_profiles_prompt_applied_is_another(host: Host, provider: Provider) -> None:
    provider.script(Answer(["A1"]), Answer(["A2"]))
    first = await converse(host, "Q1", prompt="Be brief.")
    await database.write(chats.apply_profile, host.user_id, first.turn.chat_session_id)
    second = await converse(host, "Q1", "A1", "Q2", prompt="Be brief.")
    assert second.turn.chat_session_id != first.turn.chat_session_id


@pytest.mark.both_databases
async def test_two_at_once_with_one_name_make_one_session(host: Host, provider: Provider) -> None:
    await asyncio.gather(converse(host, "Q1", name="chat"), converse(host, "Q2", name="chat"))
    names = await database.read(lambda: list(ChatSession.objects.filter(names__name="chat").values_list("pk")))
    assert len(names) == 1


@pytest.mark.thorough
async def test_a_chat_from_before_digests_is_continued_by_its_id_alone(
    host: Host, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer(["A1"]), Answer(["A2"]), Answer(["other"]), Answer(["A3"]), Answer(["changed"]))
    old: UUID = await session()
    await host.turn(old, "Q1")
    await database.write(lambda: Message.objects.update(line_digest=None))
    await host.turn(old, "Q2")
    await idle(host)
    digests = await database.read(lambda: set(Message.objects.values_list("line_digest", flat=True)))
    assert digests == {None}
    asked = await converse(host, "Q1", "A1", "Q2", "A2", "Q3")
    assert asked.turn.chat_session_id != old
    await converse(host, "Q1", "A1", "Q2", "A2", "Q3", name=str(old))
    assert [text for _, text, _ in await said(old)] == ["Q1", "A1", "Q2", "A2", "Q3", "A3"]
    await converse(host, "Q1", "A1", "edited", name=str(old))
    assert [text for _, text, _ in await said(old)] == ["Q1", "A1", "edited", "changed"]
    assert extends(provider.bodies[-1], provider.bodies[0])


@pytest.mark.parametrize("sql", [recognising._FIND, recognising._FIND_ENDS, recognising._FIND_WITHIN])
async def test_a_conversation_is_found_by_an_index(user: AbstractUser, sql: str) -> None:
    def plan() -> str:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * sql.count("%s"))
            return "\n".join(str(row[-1]) for row in cursor.fetchall())

    told = await database.read(plan)
    assert "message_by_line_digest" in told
    assert "SCAN sessions_app_message" not in told


@pytest.mark.both_databases
async def test_a_named_session_is_deleted_with_its_name(host: Host, provider: Provider) -> None:
    asked = await converse(host, "Q1", name="chat")
    await within(host.runner.service.delete_session(host.user_id, asked.turn.chat_session_id))
    again = await converse(host, "Q1", name="chat")
    assert again.turn.chat_session_id != asked.turn.chat_session_id
    names = await database.read(lambda: list(SessionName.objects.values_list("name", "chat_session")))
    assert names == [("chat", again.turn.chat_session_id)]
