"""Memory in sessions: what the tool proposes, who decides, what changes at the same time, and what is no message."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model

from sessions_app import database
from sessions_app.conversations.schemas import MessageShape
from sessions_app.errors import Conflict, NotFound, WrongKind
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.models import ChatSession, Memory, Message
from sessions_app.session_store import chats, proposals
from sessions_app.session_store.chats import ledger
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, new_session
from tests.turns.remembered import forget, notes, remember, switch, switch_chat, switch_profiles, told_by
from tests.turns.steps import edited, regenerated

pytestmark = pytest.mark.one_database

PROPOSE = Call("remember", '{"text": " Is called\\n Ada. "}')


async def shown(host: Host, chat: UUID) -> list[MessageShape]:
    messages: list[MessageShape] = (await host.open(chat))["messages"]
    return messages


async def remembered() -> list[str]:
    return await database.read(lambda: list(Memory.objects.order_by("id").values_list("text", flat=True)))


async def proposed(host: Host, chat: UUID, provider: Provider, call: Call = PROPOSE) -> MessageShape:
    """The result of a call of the tool, in a turn of its own."""
    provider.script(Answer(calls=[call]), Answer(["Hello."]))
    await host.turn(chat, "I am Ada.")
    [result] = [message for message in (await shown(host, chat))[-3:] if message.role == "tool"]
    return result


async def test_what_is_proposed_is_stored_by_a_persons_word_alone(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    result = await proposed(host, chat, provider)
    assert (result.proposal, await remembered()) == ("open", [])
    assert result.text.startswith("Proposed, and not stored")
    message, kept = await database.write(proposals.decide, host.user_id, result.id, True)
    assert (message.proposal, kept and kept.text, await remembered()) == ("saved", "Is called Ada.", ["Is called Ada."])
    again, nothing = await database.write(proposals.decide, host.user_id, result.id, True)
    assert (again.proposal, nothing, await remembered()) == ("saved", None, ["Is called Ada."])
    with pytest.raises(Conflict):
        await database.write(proposals.decide, host.user_id, result.id, False)
    await host.turn(chat, "And now?")
    assert told_by(provider.bodies[-1]) == ["Is called Ada."]


async def test_what_is_refused_is_not_stored(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    result = await proposed(host, chat, provider)
    message, kept = await database.write(proposals.decide, host.user_id, result.id, False)
    assert (message.proposal, kept, await remembered()) == ("refused", None, [])
    [stored] = [message for message in await shown(host, chat) if message.role == "tool"]
    assert stored.proposal == "refused"


async def test_of_two_who_decide_at_once_one_decides(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    host = await new_host()
    result = await proposed(host, await session(), provider)
    words = [database.write(proposals.decide, host.user_id, result.id, save) for save in (True, False)]
    done = await asyncio.gather(*words, return_exceptions=True)
    [refused] = [each for each in done if isinstance(each, BaseException)]
    assert isinstance(refused, Conflict)
    [(message, _)] = [each for each in done if not isinstance(each, BaseException)]
    assert (message.proposal == "saved") == bool(await remembered())


async def test_only_the_result_of_a_proposal_can_be_decided_on(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    too_long = await proposed(host, chat, provider, Call("remember", '{"text": "%s"}' % ("x" * 501)))
    assert (too_long.proposal, too_long.text) == (None, "Error: at most 500 characters are kept.")
    [asked, *_] = await shown(host, chat)
    for message in (too_long.id, asked.id):
        with pytest.raises(WrongKind):
            await database.write(proposals.decide, host.user_id, message, True)
    result = await proposed(host, chat, provider)
    stranger = await database.write(get_user_model().objects.create_user, "stranger")
    for user_id, message_id in ((stranger.pk, result.id), (host.user_id, uuid4())):
        with pytest.raises(NotFound):
            await database.write(proposals.decide, user_id, message_id, True)
    assert await remembered() == []


async def tools_of(chat: UUID) -> list[str]:
    frozen = await database.read(lambda: ChatSession.objects.get(pk=chat).frozen_prefix)
    return [tool.name for tool in FrozenPrefix.from_json(frozen).tools]


async def test_the_tool_is_there_where_memory_is_on(host: Host, session: NewSession, provider: Provider) -> None:
    await remember(host, "Is called Ada.")
    on = await session()
    without = (await database.write(chats.create, host.user_id, "", uses_memory=False)).id
    await switch(host, False)
    off = await session()
    await switch(host, True)
    await switch_profiles(False)
    forbidden = await session()
    await switch_profiles(True)
    assert "remember" in await tools_of(on)
    for chat in (without, off, forbidden):
        assert "remember" not in await tools_of(chat)
    # Each prefix is what a session like it would begin with, but for the switches that are back.
    for chat, current in ((on, True), (without, True), (off, False)):
        _, profile = await database.read(ledger, host.user_id, chat)
        assert profile is not None
        assert profile.current == current
    await switch_chat(host, on, False)
    refused = await proposed(host, on, provider)
    assert (refused.proposal, refused.text) == (None, "Error: memory is switched off in this chat.")


@pytest.mark.thorough
async def test_memories_that_are_added_while_turns_begin_reach_every_session(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    hosts = [await new_host(), await new_host()]
    talks = [await session() for _ in range(4)]
    await asyncio.gather(
        *(remember(hosts[number % 2], f"memory {number}") for number in range(12)),
        *(hosts[number % 2].turn(talk, "hello") for number, talk in enumerate(talks)),
    )
    known = await remembered()
    for body in provider.bodies:
        told = told_by(body)
        assert told == known[: len(told)]
    for talk in talks:
        await hosts[0].turn(talk, "and now?")
        assert told_by(provider.bodies[-1]) == known


async def test_a_memory_that_is_deleted_while_a_session_starts_is_told_by_neither_or_taken_back(
    host: Host, provider: Provider
) -> None:
    for _ in range(4):
        memory = await remember(host, "Is called Ada.")
        chat, _ = await asyncio.gather(new_session(host.user_id), forget(host, memory))
        await host.turn(chat, "hello")
        assert told_by(provider.bodies[-1]) == []


async def test_a_note_is_no_message_of_anybody(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    await host.turn(chat, "hello")
    await remember(host, "Is called Ada.")
    await host.turn(chat, "and now?")
    [_, _, note, asked, answer] = await shown(host, chat)
    assert (note.kind, asked.kind, answer.kind) == ("note", None, None)
    told = [
        event["event"]["value"] for event in host.listener.events if event["event"].get("name") == "message.created"
    ]
    assert [message["id"] for message in told][-3:] == [str(note.id), str(asked.id), str(answer.id)]
    with pytest.raises(WrongKind):
        await host.runner.service.edit_message(host.user_id, note.id, "mine", None)


async def test_a_retry_after_a_failure_has_versions_beside_its_note(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    provider.script(Answer(status=500))
    await host.turn(chat, "hello")
    await remember(host, "Is called Ada.")
    await regenerated(host, chat)
    await regenerated(host, chat)
    [_, note, answer] = await shown(host, chat)
    assert (note.kind, note.alternatives) == ("note", [])
    assert (len(answer.alternatives), answer.place) == (1, 2)
    assert len(await notes(chat)) == 2


async def test_a_regeneration_without_a_word_leaves_no_note(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "hello")
    before = await shown(host, chat)
    await remember(host, "Is called Ada.")
    provider.script(Answer(status=500))
    await regenerated(host, chat)
    assert [message.id for message in await shown(host, chat)] == [message.id for message in before]
    assert await notes(chat) == []


async def test_an_edit_of_an_edit_stands_beside_both(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat, "one")
    for text in ("two", "three"):
        memory = await remember(host, f"Says {text}.")
        [asked, *_] = [message for message in await shown(host, chat) if message.role == "user" and not message.kind]
        await edited(host, asked.id, text)
        await forget(host, memory)
    [note, asked, _] = await shown(host, chat)
    assert (note.kind, asked.text, len(asked.alternatives), asked.place) == ("note", "three", 2, 3)
    rows = await database.read(lambda: list(Message.objects.filter(text="one").values_list("public_id", flat=True)))
    assert asked.alternatives[0] == rows[0]
