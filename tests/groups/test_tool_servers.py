"""Tool servers by group: what new chats are told, what is called for whom, and that no byte of a prompt changes."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from pytest_django import Settings

from sessions_app import database
from sessions_app.admin import applying
from sessions_app.models import AgentProfile, Approval, ChatSession, ToolServer, ToolStanding
from sessions_app.tool_servers.permitted import FORBIDDEN
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.tool_servers.adding import add_server, set_standing
from tests.tool_servers.conftest import PLAIN, files, host, model, new_host, session, user
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, idle, said
from tests.turns.tool_server import decided

__all__ = ["files", "host", "model", "new_host", "session", "user"]

# The rule itself is asked of PostgreSQL too in tests/groups/test_rule.py.
pytestmark = pytest.mark.one_database

ECHO = Call("plain_echo", json.dumps({"text": "hello"}))
REFUSED = f"Error: the tool plain_echo was not called: {FORBIDDEN}"


async def results(chat: UUID) -> list[str]:
    return [text for role, text, _ in await said(chat) if role == "tool"]


async def limited(server: ToolServer, user_id: int) -> Group:
    """Keep a server for a group, of which the user is a member."""

    def make() -> Group:
        group = Group.objects.create(name="team")
        server.groups.add(group)
        group.user_set.add(user_id)
        return group

    return await database.write(make)


async def leave(group: Group, user_id: int) -> None:
    await database.write(lambda: group.user_set.remove(user_id))


def older() -> int:
    """How many sessions have an older prefix than their profile."""
    return applying.behind(ChatSession.objects.all(), AgentProfile.objects.all()).count()


async def test_who_leaves_the_group_keeps_the_prompt_and_is_refused_the_call(
    host: Host, session: NewSession, provider: Provider
) -> None:
    group = await limited(await add_server("plain", command=PLAIN, allow=("echo",)), host.user_id)
    chat = await session()
    provider.script(Answer(calls=[ECHO]), Answer(["done"]), Answer(calls=[ECHO]), Answer(["refused"]))
    await host.turn(chat)
    await leave(group, host.user_id)
    await host.turn(chat, "again")
    assert await results(chat) == ["hello", REFUSED]
    assert extends(provider.bodies[2], provider.bodies[1])
    await database.write(lambda: group.user_set.add(host.user_id))
    provider.script(Answer(calls=[ECHO]), Answer(["done"]))
    await host.turn(chat, "once more")
    assert (await results(chat))[2] == "hello"


async def test_new_chats_are_told_what_their_user_may_call(host: Host, session: NewSession, provider: Provider) -> None:
    server = await add_server("plain", command=PLAIN, allow=("echo",))
    before = await session()
    group = await limited(server, host.user_id)
    stranger = await database.write(get_user_model().objects.create_user, "stranger")
    same = await session()
    await database.write(lambda: ChatSession.objects.filter(pk=same).update(owner=stranger))
    await leave(group, host.user_id)
    without = await session()

    def read() -> tuple[list[bool], int]:
        told = ["plain_echo" in ChatSession.objects.get(pk=pk).frozen_prefix for pk in (before, same, without)]
        return told, older()

    assert await database.read(read) == ([True, True, False], 2)
    await database.write(lambda: group.user_set.add(host.user_id, stranger))
    assert await database.read(older) == 1


async def test_an_approved_call_is_not_made_for_who_has_left(
    host: Host, session: NewSession, provider: Provider, settings: Settings
) -> None:
    group = await limited(await add_server("plain", command=PLAIN, allow=("echo",)), host.user_id)
    await set_standing("plain_echo", ToolStanding.ASK)
    chat = await session()
    provider.script(Answer(calls=[Call("plain_echo", ECHO.arguments, "c1")]), Answer(["done"]))
    await host.turn(chat)
    await idle(host)
    await host.runner.supervisor.stop()  # which would be faster
    await leave(group, host.user_id)
    await decided(host, chat, {"c1": True})
    assert await results(chat) == [f"The call was not made: {FORBIDDEN}"]
    [approval] = await database.read(lambda: list(Approval.objects.all()))
    assert (approval.decision, approval.state) == ("approved", "not_made")
    # Nobody is asked about a call that would be refused.
    provider.script(Answer(calls=[ECHO]), Answer(["refused"]))
    await host.turn(chat, "again")
    assert (await results(chat))[1] == REFUSED


async def test_a_call_that_waits_is_refused_for_who_has_left(
    host: Host, session: NewSession, provider: Provider
) -> None:
    """By itself; a call of another server that waits beside it goes on waiting."""
    group = await limited(await add_server("plain", command=PLAIN, allow=("echo",)), host.user_id)
    await add_server("other", command=PLAIN, allow=("echo",))
    for tool in ("plain_echo", "other_echo"):
        await set_standing(tool, ToolStanding.ASK)
    chat = await session()
    calls = [Call("plain_echo", ECHO.arguments, "c1"), Call("other_echo", ECHO.arguments, "c2")]
    provider.script(Answer(calls=calls), Answer(["done"]))
    await host.turn(chat)
    await idle(host)
    await host.open(chat)
    await leave(group, host.user_id)
    decision = await host.listener.fact("approval.decided")
    assert (decision["tool"], decision["decision"]) == ("plain_echo", "refused")
    assert await results(chat) == [f"The call was not made: {FORBIDDEN}"]
    [waiting] = (await host.open(chat))["approvals"]
    assert waiting.tool == "other_echo"
    await decided(host, chat, {"c2": True})
    assert await results(chat) == [f"The call was not made: {FORBIDDEN}", "hello"]
    assert len(provider.requests) == 2
