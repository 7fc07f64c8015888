"""Calls of a tool server that wants to know whose they are."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pydantic_ai  # noqa: F401 - a listing would load it in the event loop
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.tools.sources import Context, ToolError
from sessions_app.models import AgentProfile, Authorisation, ToolServer, ToolStanding
from sessions_app.tool_servers import offers
from sessions_app.tool_servers.credentials import credentials_for
from sessions_app.tool_servers.listing import OfferedTool, listed
from sessions_app.tool_servers.source import ToolServers
from tests.authorisations.conftest import Person
from tests.authorisations.server import Fault, ProtectedServer

pytestmark = pytest.mark.django_db(transaction=True)

WHERE = "The tool server notes needs the user's authorisation. The user gives it at /accounts/tool-servers/"


async def nothing(*_: object) -> list[str]:
    return []


async def never(*_: object) -> bool:
    return False


async def called(person: Person) -> str:
    """What a call of the tool brings, in a process of its own."""
    source = ToolServers(timeout=30)
    try:
        context = Context(person.user.pk, nothing, never)
        output = await source.call(context, ToolCall("c1", "notes_read_notes", "{}"))
    finally:
        await source.close()
    return str(getattr(output, "text", output))


async def offered(person: Person, server: ToolServer) -> list[OfferedTool]:
    return await listed(server, await credentials_for(person.user.pk, server))


@pytest.fixture
def allowed(alice: Person, notes: ToolServer, protected: ProtectedServer) -> ToolServer:
    """The server, its tool allowed; alice has connected to it."""
    alice.connect(protected, notes)
    offers.record(notes, asyncio.run(offered(alice, notes)))
    offers.switch(notes, {"read_notes": ToolStanding.ALLOWED})
    return notes


def test_the_command_says_that_users_are_asked(alice: Person, protected: ProtectedServer) -> None:
    AgentProfile.default()
    with pytest.raises(CommandError) as error:
        call_command("mcp_server", "notes", "--url", protected.url, "--profiles", "Default")
    assert "Each user gives it an authorisation of their own" in str(error.value)
    assert ToolServer.objects.get().asks_users
    with pytest.raises(CommandError):
        call_command("mcp_server", "notes", "--url", "http://127.0.0.1:9/mcp", "--profiles", "Default")
    assert not ToolServer.objects.get().asks_users


def test_a_call_is_its_users(allowed: ToolServer, alice: Person) -> None:
    assert asyncio.run(called(alice)) == "The notes of person."


def test_a_call_of_who_has_not_connected_says_where(allowed: ToolServer, bob: Person) -> None:
    with pytest.raises(ToolError) as error:
        asyncio.run(called(bob))
    assert str(error.value) == WHERE


def test_a_token_that_has_ended_stops_no_call(allowed: ToolServer, alice: Person, protected: ProtectedServer) -> None:
    Authorisation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert asyncio.run(called(alice)) == "The notes of person."
    assert protected.memory.refreshes == 1


def test_a_token_that_the_server_has_forgotten_stops_no_call(
    allowed: ToolServer, alice: Person, protected: ProtectedServer
) -> None:
    protected.memory.access.clear()
    assert asyncio.run(called(alice)) == "The notes of person."


def test_an_authorisation_that_was_revoked_says_where(
    allowed: ToolServer, alice: Person, protected: ProtectedServer
) -> None:
    protected.memory.end()
    with pytest.raises(ToolError) as error:
        asyncio.run(called(alice))
    assert str(error.value) == WHERE
    assert not Authorisation.objects.exists()


def test_tokens_that_are_never_taken_say_where(allowed: ToolServer, alice: Person, protected: ProtectedServer) -> None:
    protected.memory.takes_none = True
    with pytest.raises(ToolError) as error:
        asyncio.run(called(alice))
    assert str(error.value) == WHERE
    assert protected.memory.refreshes == 1


def test_no_token_follows_a_redirect(allowed: ToolServer, alice: Person, protected: ProtectedServer) -> None:
    elsewhere = ProtectedServer()
    try:
        protected.answer("/mcp", Fault(307, b"", {"location": elsewhere.url}))
        with pytest.raises(ToolError):
            asyncio.run(called(alice))
        assert elsewhere.requests == []
    finally:
        elsewhere.close()


def test_an_authorisation_of_another_key_says_where(allowed: ToolServer, alice: Person) -> None:
    Authorisation.objects.update(sealed="unreadable")
    with pytest.raises(ToolError) as error:
        asyncio.run(called(alice))
    assert str(error.value) == WHERE
