"""Access tokens that have ended are fetched fresh: once, whoever asks."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sessions_app.authorisations import rows
from sessions_app.authorisations.credentials import access_token
from sessions_app.authorisations.errors import AuthorisationError, NotConnected
from sessions_app.models import Authorisation, ToolServer
from tests.authorisations.conftest import Person
from tests.authorisations.server import Fault, ProtectedServer
from tests.processes import Process
from tests.turns.foreign import foreign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connected(alice: Person, notes: ToolServer, protected: ProtectedServer) -> Person:
    alice.connect(protected, notes)
    return alice


@pytest.fixture
def held(protected: ProtectedServer) -> Iterator[ProtectedServer]:
    """The protected server, which answers nothing at its token endpoint until `protected.gate` is set."""
    protected.hold("/token")
    yield protected
    protected.gate.set()


def end_token() -> None:
    """Let the access token have ended a second ago."""
    Authorisation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def token_of(person: Person, server: ToolServer, refused: str | None = None) -> str:
    """What a call of the user would send."""
    return asyncio.run(access_token(person.user.pk, server, refused))


async def tokens_of(person: Person, server: ToolServer, calls: int) -> list[str]:
    return await asyncio.gather(*(access_token(person.user.pk, server) for _ in range(calls)))


def test_a_token_is_used_until_it_ends(connected: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    [token] = protected.memory.access
    assert token_of(connected, notes) == token
    end_token()
    fresh = token_of(connected, notes)
    assert fresh != token
    assert token_of(connected, notes) == fresh
    assert protected.memory.refreshes == 1
    assert protected.forms("/token")[-1]["resource"] == protected.url


def test_a_token_without_an_end_is_used(connected: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    protected.memory.lifetime = None
    connected.connect(protected, notes)
    assert Authorisation.objects.get().expires_at is None
    token_of(connected, notes)
    assert protected.memory.refreshes == 0


def test_a_token_that_lives_for_a_moment_is_used(
    connected: Person, notes: ToolServer, protected: ProtectedServer
) -> None:
    protected.memory.lifetime = 1
    end_token()
    assert token_of(connected, notes) in protected.memory.access


@pytest.mark.both_databases
def test_calls_at_once_fetch_once(connected: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    end_token()
    assert len(set(asyncio.run(tokens_of(connected, notes, 8)))) == 1
    assert protected.memory.refreshes == 1


def caller(person: Person, server: ToolServer) -> Process:
    env = {"DJANGO_SETTINGS_MODULE": "hermes_site.settings", "DATABASE_URL": foreign().url, "SECRET_KEY": "tests-only"}
    command = [sys.executable, "-m", "tests.authorisations.caller", str(person.user.pk), str(server.pk)]
    return Process(command, env={**os.environ, **env}, listens=True)


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
def test_two_processes_fetch_once(connected: Person, notes: ToolServer, held: ProtectedServer) -> None:
    end_token()
    processes = [caller(connected, notes) for _ in range(2)]
    for process in processes:
        process.line("ready")
    for process in processes:
        process.write("go")
    for process in processes:
        process.line("asking")
    assert held.arrived.wait(60)
    held.gate.set()
    tokens = [process.line("token ") for process in processes]
    assert [process.wait() for process in processes] == [0, 0]
    assert tokens[0] == tokens[1]
    assert tokens[0].split()[1] in held.memory.access
    assert held.memory.refreshes == 1


def test_a_process_that_dies_over_a_fetch_is_followed(
    connected: Person, notes: ToolServer, held: ProtectedServer
) -> None:
    end_token()
    process = caller(connected, notes)
    process.line("ready")
    process.write("go")
    assert held.arrived.wait(60)
    process.kill()
    held.gate.drops = True
    held.gate.set()
    held.hold("")
    Authorisation.objects.update(refresher_until=timezone.now())
    assert token_of(connected, notes) in held.memory.access


def test_a_call_that_is_stopped_loses_no_token(connected: Person, notes: ToolServer, held: ProtectedServer) -> None:
    end_token()

    async def stopped() -> str:
        call = asyncio.create_task(access_token(connected.user.pk, notes))
        await asyncio.to_thread(held.arrived.wait, 60)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        held.gate.set()
        return await access_token(connected.user.pk, notes)

    assert asyncio.run(stopped()) in held.memory.access
    assert held.memory.refreshes == 1


def test_what_was_revoked_at_the_server_has_to_be_connected_again(
    connected: Person, notes: ToolServer, protected: ProtectedServer
) -> None:
    token = token_of(connected, notes)
    protected.memory.end()
    with pytest.raises(NotConnected):
        token_of(connected, notes, refused=token)
    assert not Authorisation.objects.exists()
    connected.connect(protected, notes)
    assert token_of(connected, notes) in protected.memory.access


def test_a_refused_token_is_fetched_fresh(connected: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    token = token_of(connected, notes)
    assert token_of(connected, notes, refused=token) != token
    # Another call was refused with the old one, too: the new one is there already.
    assert token_of(connected, notes, refused=token) in protected.memory.access
    assert protected.memory.refreshes == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500, b"down"),
        Fault(200, b"garbage"),
        Fault(400, b'{"error": "temporarily_unavailable"}'),
        Fault(403, b"<html>a wall</html>"),
        Fault(307, b"", {"location": "https://elsewhere.example/"}),
    ],
)
def test_a_server_that_is_down_costs_no_authorisation(
    connected: Person, notes: ToolServer, protected: ProtectedServer, fault: Fault
) -> None:
    end_token()
    protected.answer("/token", fault)
    with pytest.raises(AuthorisationError):
        token_of(connected, notes)
    protected.answer("/token", None)
    assert token_of(connected, notes) in protected.memory.access


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
def test_a_fetch_that_comes_too_late_keeps_nothing(connected: Person, notes: ToolServer, held: ProtectedServer) -> None:
    end_token()

    async def disconnected() -> None:
        call = asyncio.create_task(access_token(connected.user.pk, notes))
        await asyncio.to_thread(held.arrived.wait, 60)
        await asyncio.to_thread(rows.remove, connected.user.pk, notes)
        held.gate.set()
        await call

    with pytest.raises(NotConnected):
        asyncio.run(disconnected())
    assert not Authorisation.objects.exists()


def test_tokens_go_to_no_other_address(connected: Person, notes: ToolServer, protected: ProtectedServer) -> None:
    notes.url = "https://elsewhere.example/mcp"
    notes.save()
    with pytest.raises(NotConnected):
        token_of(connected, notes)
    assert "connected" not in connected.browser.get("/accounts/tool-servers/").content.decode()


def test_tokens_of_another_key_are_none(connected: Person, notes: ToolServer, settings: Any) -> None:
    settings.SECRET_KEY = "another"
    with pytest.raises(NotConnected):
        token_of(connected, notes)


def test_tokens_of_another_user_are_none(connected: Person, bob: Person, notes: ToolServer) -> None:
    with pytest.raises(NotConnected):
        token_of(bob, notes)


def test_a_user_who_may_not_act_has_no_tokens(connected: Person, notes: ToolServer) -> None:
    User.objects.filter(pk=connected.user.pk).update(is_active=False)
    with pytest.raises(NotConnected):
        token_of(connected, notes)
    Authorisation.remove_abandoned()
    assert not Authorisation.objects.exists()


def test_a_deleted_users_tokens_go_with_them(connected: Person) -> None:
    connected.user.delete()
    assert not Authorisation.objects.exists()
