"""Answers that call tools of the client, of which a person must approve others: each door answers what is its own."""

from __future__ import annotations

from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.errors import Conflict
from sessions_app.llm.content.history import NO_RESULT
from sessions_app.models import ChatSession, WaitingCall
from sessions_app.turn_store import approving
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns import client_tools
from tests.turns.client_tools import asks, bring, resume, resumed
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, idle, said, stored_turn
from tests.turns.tool_server import MailServer, decided, give_tools, sends, serve, waiting

pytestmark = pytest.mark.one_database

CALLS = [asks("Bonn", "w1"), Call("calculator", '{"expression": "6 * 7"}', "s1"), sends("Bo", "m1")]


@pytest.fixture
def server(host: Host) -> MailServer:
    server = MailServer()
    serve(host, server)
    return server


@pytest.fixture
async def chat(host: Host, server: MailServer, session: NewSession, provider: Provider) -> UUID:
    """A session in which a client, the host and a person are to see to one call each."""
    chat = await session()
    await give_tools(chat)
    await bring(host, chat, "weather")
    provider.script(Answer(["See. "], calls=CALLS))
    await host.turn(chat, "Both?")
    await idle(host)
    return chat


async def test_the_decision_comes_first_and_the_client_is_waited_for(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    first = await decided(host, chat, {"m1": True})
    assert (first.status, len(server.made), len(provider.requests)) == ("complete", 1, 1)
    assert (await host.listener.end_of(first.run_id))["event"]["outcome"] == {"type": "success"}
    assert (await waiting(host, chat), await client_tools.waiting(host, chat)) == ([], ["w1"])
    provider.script(Answer(["Done."]))
    await resumed(host, chat, {"w1": "sun"})
    results = [each["content"] for each in provider.requests[-1].json["messages"] if each["role"] == "tool"]
    assert results == ["sun", "42", "mail_send done"]
    assert not await database.read(WaitingCall.objects.exists)


async def test_the_client_comes_first_and_the_person_is_waited_for(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    asked = await resume(host, chat, {"w1": "sun"})
    end = await host.listener.end_of(asked.run_id)
    await idle(host)
    [approval] = await waiting(host, chat)
    assert [each["id"] for each in end["event"]["outcome"]["interrupts"]] == [str(approval.public_id)]
    assert (len(provider.requests), server.made) == (1, [])
    assert (await stored_turn(asked.run_id)).pk == approval.turn_id
    with pytest.raises(Conflict):
        await resume(host, chat, {"w1": "rain"})
    provider.script(Answer(["Done."]))
    await decided(host, chat, {"m1": True})
    results = [each["content"] for each in provider.requests[-1].json["messages"] if each["role"] == "tool"]
    assert results == ["sun", "42", "mail_send done"]


async def test_who_says_something_else_goes_on_without_both(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await host.turn(chat, "Never mind.")
    contents = [each["content"] for each in provider.requests[-1].json["messages"]]
    assert contents[3:] == [NO_RESULT, "42", approving.NOT_ANSWERED, "Never mind."]
    assert server.made == []
    assert not await database.read(WaitingCall.objects.exists)


async def test_tools_that_the_client_takes_back_still_have_the_decision(
    host: Host, chat: UUID, server: MailServer, provider: Provider
) -> None:
    await bring(host, chat)
    assert (await database.read(lambda: ChatSession.objects.get(pk=chat))).client_tools == ""
    await decided(host, chat, {"m1": True})
    assert len(server.made) == 1
    assert [text for role, text, _ in await said(chat) if role == "tool"] == ["42", "mail_send done"]
