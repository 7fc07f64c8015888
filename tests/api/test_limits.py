"""What one user may have of a process: connections, and commands a second. Whoever wants more takes it from nobody."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AbstractUser
from django.test import override_settings

from sessions_app import database
from sessions_app.api import limits as module
from sessions_app.api.auth import Caller
from sessions_app.api.consumer import ChatConsumer
from sessions_app.api.limits import BURST, PER_SECOND, CommandRate, Limits, address_of
from sessions_app.api.revocation import Doorkeeper
from sessions_app.models import ChatSession
from sessions_app.turns.runner import Runner
from tests.api.client import PATIENCE, Client
from tests.api.conftest import Connect, bearer

TOO_MANY_CONNECTIONS = 4029


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Clock:
    return Clock()


@pytest.fixture
def limits(seconds: Clock) -> Limits:
    return Limits(seconds)


@pytest.fixture
def burst_of_five(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BURST", 5)


# Connections


@override_settings(HERMES_CONNECTIONS_PER_USER=2)
async def test_one_connection_too_many_is_closed(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, runner: Runner
) -> None:
    first, second = await connect(owner), await connect(owner)
    third = await connect(owner)
    assert await third.closed() == TOO_MANY_CONNECTIONS
    assert runner.delivery.subscriptions.size == 2
    for client in (first, second, await connect(outsider)):
        assert (await client.call("session.list"))["sessions"] == []
    await first.leave()
    fourth = await connect(owner)
    assert (await fourth.call("session.list"))["sessions"] == []


@override_settings(HERMES_CONNECTIONS_PER_USER=3)
async def test_handshakes_at_once_take_no_place_twice(connect: Connect, owner: AbstractUser, runner: Runner) -> None:
    clients = await asyncio.gather(*(connect(owner) for _ in range(12)))
    assert runner.delivery.subscriptions.size == 3
    closing = [asyncio.create_task(client.closed()) for client in clients]
    for closed in islice(asyncio.as_completed(closing), 9):
        assert await closed == TOO_MANY_CONNECTIONS
    for waiting in closing:
        waiting.cancel()


class Handshakes:
    """Handshakes from one address, of clients that do not close when they are told to."""

    def __init__(self, runner: Runner, limits: Limits) -> None:
        self._application = ChatConsumer.as_asgi(runner=runner, doorkeeper=Doorkeeper(), limits=limits)
        self.open: list[WebsocketCommunicator] = []

    async def knock(self, *headers: tuple[bytes, bytes]) -> tuple[bool, int | None]:
        """Return whether the handshake was accepted, and the code of a close that follows."""
        socket = WebsocketCommunicator(self._application, "/ws/chat/", headers=list(headers))
        socket.scope["client"] = ("203.0.113.9", 4711)
        accepted, code = await socket.connect(timeout=PATIENCE)
        if accepted and not headers:
            code = (await socket.receive_output(timeout=PATIENCE))["code"]
        if accepted:
            self.open.append(socket)
        return accepted, code

    async def leave(self) -> None:
        for socket in self.open:
            await socket.disconnect(timeout=PATIENCE)
        self.open.clear()


@pytest.fixture
def handshakes(runner: Runner, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> Handshakes:
    monkeypatch.setattr("sessions_app.api.consumer.REFUSED_PER_ADDRESS", 2)
    return Handshakes(runner, limits)


async def test_outsiders_hold_a_few_sockets_of_an_address(handshakes: Handshakes, owner: AbstractUser) -> None:
    assert [await handshakes.knock() for _ in range(4)] == [(True, 4401)] * 2 + [(False, TOO_MANY_CONNECTIONS)] * 2
    # Others behind the same address, who are logged in, do not pay for it.
    assert (await handshakes.knock(await bearer(owner)))[0]
    await handshakes.leave()
    assert await handshakes.knock() == (True, 4401)
    await handshakes.leave()


@override_settings(HERMES_CONNECTIONS_PER_USER=1)
async def test_sockets_that_are_one_too_many_count_as_well(handshakes: Handshakes, owner: AbstractUser) -> None:
    header = await bearer(owner)
    assert [(await handshakes.knock(header))[0] for _ in range(5)] == [True, True, True, False, False]
    await handshakes.leave()


def test_an_address_is_one_subscriber() -> None:
    networks = ["203.0.113.9", "203.0.113.10", *["2001:db8:1:2::/64"] * 2, "2001:db8:1:3::/64", "odd"]
    addresses = ["203.0.113.9", "203.0.113.10", "2001:db8:1:2::3", "2001:db8:1:2:ffff::4", "2001:db8:1:3::3", "odd"]
    found = [address_of({"client": (address, 80)}) for address in addresses]
    assert found == networks
    assert address_of({"client": None}) == address_of({}) == "unknown"


# Commands


async def spend(client: Client, count: int) -> None:
    for _ in range(count):
        await client.call("session.list")


async def test_a_burst_is_followed_by_a_refusal(
    connect: Connect, owner: AbstractUser, outsider: AbstractUser, burst_of_five: None
) -> None:
    client, other = await connect(owner), await connect(outsider)
    await spend(client, 5)
    refusal = await client.refusal("session.create")
    assert (refusal.code, refusal.data) == (-32003, {"retry_after": 1})
    assert await database.read(ChatSession.objects.count) == 0
    await spend(other, 5)


async def test_what_was_refused_works_after_the_time_told(
    connect: Connect, owner: AbstractUser, burst_of_five: None, seconds: Clock
) -> None:
    client = await connect(owner)
    await spend(client, 5)
    seconds.now += (await client.refusal("session.list")).data["retry_after"]
    await spend(client, 5)


async def test_all_connections_of_a_user_share_the_bucket(
    connect: Connect, owner: AbstractUser, burst_of_five: None
) -> None:
    client, other = await connect(owner), await connect(owner)
    await spend(client, 3)
    await client.leave()
    await spend(other, 2)
    for late in (other, await connect(owner)):
        assert (await late.refusal("session.list")).code == -32003


async def test_a_refused_command_costs_no_database_hop(
    connect: Connect, owner: AbstractUser, burst_of_five: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect(owner)
    await spend(client, 5)

    async def hop(*_: Any) -> None:
        raise AssertionError("a hop")

    for name in ("read", "write"):
        monkeypatch.setattr(Caller, name, hop)
    for method in ("session.create", "session.list", "account.usage"):
        assert (await client.refusal(method)).code == -32003


async def test_what_is_wrong_with_a_command_comes_first(
    connect: Connect, owner: AbstractUser, burst_of_five: None
) -> None:
    client = await connect(owner)
    await spend(client, 5)
    assert (await client.refusal("session.create", title=5)).code == -32602
    assert (await client.refusal("session.create", title="x" * 201)).code == -32002
    assert (await client.refusal("session.nothing")).code == -32601
    assert (await client.raw("{")).code == -32700


async def test_bad_frames_take_tokens_and_refused_notifications_do_nothing(
    connect: Connect, owner: AbstractUser, burst_of_five: None
) -> None:
    client = await connect(owner)
    for _ in range(5):
        assert (await client.raw("{")).code == -32700
    await client.notify("session.create")
    assert (await client.refusal("session.list")).code == -32003
    assert await database.read(ChatSession.objects.count) == 0


def test_a_thousand_at_once_and_fifty_a_second() -> None:
    clock = Clock()
    rate = CommandRate(clock)
    assert [rate.excess(1) for _ in range(BURST)] == [0] * BURST
    assert rate.excess(1) == pytest.approx(1 / PER_SECOND)
    assert rate.excess(2) == 0
    for _ in range(3):
        clock.now += 1
        assert [rate.excess(1) for _ in range(PER_SECOND)] == [0] * PER_SECOND
        assert rate.excess(1) > 0
    clock.now += BURST / PER_SECOND + 1
    assert [rate.excess(1) for _ in range(BURST)] == [0] * BURST
    assert rate.excess(1) > 0


def test_refusals_are_no_more_than_commands_may_be() -> None:
    """Many connections of a user, each as fast as it is read: their pauses do not overlap."""
    rate = CommandRate(Clock())
    assert [rate.pause(1) for _ in range(100)] == [pytest.approx(n / PER_SECOND) for n in range(1, 101)]
    assert rate.pause(2) == pytest.approx(1 / PER_SECOND)


def test_users_who_have_been_silent_are_forgotten() -> None:
    clock = Clock()
    rate = CommandRate(clock)
    for user_id in range(10_000):
        rate.excess(user_id)
    clock.now += 1
    rate.excess(10_000)
    assert len(rate._buckets) == 1
