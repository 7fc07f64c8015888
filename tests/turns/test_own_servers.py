"""A profile's own server: every process uses a changed address or key at once, and prompts stay warm."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from sessions_app import database
from sessions_app.conversations.profiles import UNREADABLE
from sessions_app.llm import providers
from sessions_app.llm.endpoint import Endpoint
from sessions_app.llm.providers import Providers, ProviderSettings
from sessions_app.models import AgentProfile, ChatSession
from sessions_app.models.sealed import seal
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.turns.fixtures import CHAT, RESPONSES, NewHost, NewSession
from tests.turns.host import Host, said

pytestmark = pytest.mark.one_database


@pytest.fixture
def other() -> Iterator[Provider]:
    """A server that no environment variable names."""
    running = Provider()
    yield running
    running.close()


async def use(server: Provider, key: str = "", model: str = CHAT) -> None:
    sealed = seal(key) if key else ""
    columns = {"base_url": server.base_url, "sealed_key": sealed, "model": model}
    await database.write(lambda: AgentProfile.objects.update(**columns))


def keys(server: Provider) -> list[str]:
    return [request.headers["authorization"] for request in server.requests]


@pytest.mark.parametrize("model_of_server", [CHAT, pytest.param(RESPONSES, marks=pytest.mark.thorough)])
async def test_a_changed_key_reaches_warm_agents_of_all_processes(
    new_host: NewHost, session: NewSession, provider: Provider, other: Provider, model_of_server: str
) -> None:
    hosts = [await new_host(), await new_host()]
    rooms = [await session(), await session()]
    await use(other, "one", model_of_server)
    for host, chat in zip(hosts, rooms, strict=True):
        await host.turn(chat)
    await use(other, "two", model_of_server)
    for host, chat in zip(hosts, rooms, strict=True):
        turn = await host.turn(chat)
        assert (turn.guard_agent, turn.guard_transcript, turn.miss) == ("reused", "kept", "")
    assert keys(other) == ["Bearer one"] * 2 + ["Bearer two"] * 2
    assert provider.requests == []
    assert extends(other.bodies[2], other.bodies[0])


async def test_a_changed_address_leaves_the_transcript_and_says_so_in_the_ledger(
    host: Host, session: NewSession, provider: Provider, other: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "as long as it takes " * 60)
    await use(other)
    turn = await host.turn(chat)
    assert (turn.guard_transcript, turn.miss, keys(other)) == ("kept", "model", ["Bearer none"])
    assert extends(other.bodies[0], provider.bodies[0])


@pytest.mark.both_databases
async def test_a_key_that_cannot_be_read_fails_the_turn_and_says_so(
    host: Host, session: NewSession, other: Provider
) -> None:
    chat = await session()
    await use(other)
    await database.write(lambda: AgentProfile.objects.update(sealed_key="gAAAA"))
    turn = await host.turn(chat)
    assert (turn.status, turn.error_code, turn.error_text) == ("failed", "provider", UNREADABLE)
    assert await said(chat) == [("user", "hello", "complete")]
    assert other.requests == []
    await use(other, "one")
    assert (await host.turn(chat)).status == "complete"


async def test_no_key_is_in_what_a_turn_stores_or_logs(
    host: Host, session: NewSession, other: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    chat = await session()
    await use(other, "sk-very-secret")
    turn = await host.turn(chat)
    stored = await database.read(lambda: ChatSession.objects.values().get(pk=chat))
    assert "secret" not in f"{vars(turn)} {stored} {caplog.text}"
    assert "secret" not in repr(Endpoint("https://h", "sk-very-secret"))


async def test_clients_of_keys_that_were_replaced_are_closed(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "OWN_CLIENTS", 2)
    pool = Providers(ProviderSettings())
    clients: list[Any] = []
    async with pool.using(CHAT, Endpoint(provider.base_url, "held")) as held:
        for number in range(4):
            async with pool.using(CHAT, Endpoint(provider.base_url, str(number))) as live:
                clients.append(live.client)
        assert held.client is not None
        assert not held.client.is_closed
        assert [client.is_closed for client in clients] == [True, True, True, False]
    assert [client.is_closed for client in (held.client, clients[-1])] == [False, False]
    await pool.aclose()
    assert held.client.is_closed


async def test_a_client_that_could_not_be_made_fails_no_other_request(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "OWN_CLIENTS", 1)
    pool = Providers(ProviderSettings())
    given_up = asyncio.create_task(pool.live("nobody:knows", Endpoint(provider.base_url)))
    await asyncio.sleep(0)
    given_up.cancel()
    async with pool.using(CHAT, Endpoint(provider.base_url)) as live:
        assert live.client is not None
    assert not live.client.is_closed
    await pool.aclose()
