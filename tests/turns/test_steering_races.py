"""Steering beside what others do: deleted messages and sessions, forbidden models, two processes at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from django.contrib.auth.models import Group

from sessions_app import database
from sessions_app.conversations.profiles import FORBIDDEN
from sessions_app.errors import Conflict, NotFound
from sessions_app.models import AgentProfile, ChatSession, Message, Turn
from sessions_app.session_store import chats, forking
from sessions_app.turn_store import asking, recovery
from sessions_app.turn_store.recovery import Running
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, said, stands_at, stored_turn, within
from tests.turns.steps import edited, regenerated


async def messages_of(host: Host, chat: UUID) -> list[UUID]:
    return [message.id for message in (await host.open(chat))["messages"]]


def forbid() -> None:
    """Leave all profiles to a group that nobody is in."""
    group, _ = Group.objects.get_or_create(name="nobody")
    for profile in AgentProfile.objects.all():
        profile.groups.add(group)


async def test_a_deleted_version_cannot_be_selected(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    [_, first] = await messages_of(host, chat)
    await regenerated(host, chat)
    await database.write(lambda: Message.objects.filter(public_id=first).delete())
    with pytest.raises(NotFound):
        await host.runner.service.select_branch(host.user_id, first, 50)
    [_, shown] = (await host.open(chat))["messages"]
    assert (shown.alternatives, shown.place) == ([], 1)
    assert (await host.turn(chat)).status == "complete"


@pytest.mark.thorough_on_postgresql
@pytest.mark.usefixtures("hurried")
async def test_a_fork_of_a_session_that_is_being_deleted_is_whole(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    hosts, chat, gate = [await new_host(), await new_host()], await session(), Gate()
    await hosts[0].turn(chat, "first")
    [_, answer] = await messages_of(hosts[0], chat)
    provider.script(Answer(["half ", "whole"], gates={1: gate}))
    running = await hosts[0].ask(chat, "second")
    await stands_at(gate)
    deletion = asyncio.create_task(hosts[1].runner.service.delete_session(hosts[1].user_id, chat))
    made = await database.write(forking.fork, hosts[0].user_id, answer)
    gate.open()
    await within(deletion)
    await hosts[0].listener.end_of(running.run_id)
    assert [text for _, text, _ in await said(made.id)] == ["first", "word0 word1 word2 word3 word4 "]
    assert await database.read(ChatSession.objects.count) == 1
    with pytest.raises(NotFound):
        await database.write(forking.fork, hosts[0].user_id, answer)


async def test_a_fork_and_a_deletion_at_once_leave_all_or_nothing(new_host: NewHost, session: NewSession) -> None:
    hosts = [await new_host(), await new_host()]
    for _ in range(5):
        chat = await session()
        await hosts[0].turn(chat, "first")
        [_, answer] = await messages_of(hosts[0], chat)
        deleted, made = await within(
            asyncio.gather(
                hosts[1].runner.service.delete_session(hosts[1].user_id, chat),
                database.write(forking.fork, hosts[0].user_id, answer),
                return_exceptions=True,
            )
        )
        assert deleted is None
        if isinstance(made, BaseException):
            assert isinstance(made, NotFound)
        else:
            assert len(await said(made.id)) == 2


async def test_of_two_processes_that_edit_at_once_one_is_refused(new_host: NewHost, session: NewSession) -> None:
    hosts, chat = [await new_host(), await new_host()], await session()
    await hosts[0].turn(chat)
    await hosts[1].show(chat)
    [asked, _] = await messages_of(hosts[0], chat)
    calls = [host.runner.service.edit_message(host.user_id, asked, "other", None) for host in hosts]
    results = await within(asyncio.gather(*calls, return_exceptions=True))
    [winner] = [result for result in results if not isinstance(result, BaseException)]
    assert [type(result) for result in results if isinstance(result, BaseException)] == [Conflict]
    await hosts[0].listener.end_of(winner.asked.run_id)
    assert len(await said(chat)) == 2


@pytest.mark.one_database
async def test_a_turn_that_waited_is_refused_where_its_model_was_forbidden(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat, gate = await session(), Gate()
    provider.script(Answer(["one"], gates={0: gate}))
    running = await host.ask(chat, "first")
    await stands_at(gate)
    waiting = await host.ask(chat, "second")
    await database.write(forbid)
    gate.open()
    await host.listener.end_of(running.run_id)
    await host.listener.end_of(waiting.run_id)
    turn = await stored_turn(waiting.run_id)
    assert (turn.status, turn.error_code, turn.error_text) == ("failed", "provider", FORBIDDEN)
    assert len(provider.requests) == 1
    assert [text for _, text, _ in await said(chat)] == ["first", "one", "second"]
    [*_, shown] = (await host.open(chat))["messages"]
    assert shown.error.text == FORBIDDEN
    # Another model goes on with the same message.
    other = await database.write(lambda: AgentProfile.objects.create(name="Free", model="openai-chat:free"))
    await database.write(chats.update, host.user_id, chat, chats.Changes(profile=other.pk))
    assert (await regenerated(host, chat)).status == "complete"
    assert await database.read(Turn.objects.filter(status="failed").count) == 1


@pytest.mark.one_database
async def test_a_turn_begun_again_is_refused_a_forbidden_model(host: Host, session: NewSession) -> None:
    chat, process = await session(), "lost"
    asked = await database.write(asking.ask, host.user_id, chat, "hello", None, process=process, accepting=True)
    await database.write(forbid)
    running = Running(asked.turn.pk, asked.turn.run_id, host.user_id, chat, process, dead=False)
    again = await database.write(recovery.adopt, running)
    assert again is not None
    assert again.refused == FORBIDDEN


@pytest.mark.one_database
async def test_a_forbidden_model_edits_nothing(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    [asked, _] = await messages_of(host, chat)
    await database.write(forbid)
    for call in (
        host.runner.service.edit_message(host.user_id, asked, "other", None),
        host.runner.service.regenerate(host.user_id, chat, None),
        host.runner.service.start_turn(host.user_id, chat, "more", None),
    ):
        with pytest.raises(Conflict, match="Choose another"):
            await within(call)
    assert len(await messages_of(host, chat)) == 2
    await database.write(AgentProfile.groups.through.objects.all().delete)
    assert (await edited(host, asked, "other")).status == "complete"
