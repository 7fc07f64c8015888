"""Messages between processes, over a Redis that is cut off, stands still, is started again, or is not there yet."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol
from uuid import uuid4

import pytest
import pytest_asyncio

from hermes_site.redis_layer import RedisLayer
from sessions_app.realtime import bus
from sessions_app.realtime.bus import Bus, Message
from tests import services
from tests.processes import Process
from tests.turns.host import within
from tests.turns.linked import NotingLayer

# Seconds until something that may have been lost is sent again.
AGAIN = 0.05


class Redis:
    """A Redis of the test's own, always at the same address."""

    def __init__(self) -> None:
        self.port = services.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: Process | None = None

    async def start(self) -> None:
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        server = services.program("redis-server")
        self.process = Process([server, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""])
        self.process.line("Ready to accept connections")

    async def kill(self) -> None:
        await asyncio.to_thread(self.end)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
        self.process = None

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.signal(number)

    async def run(self, *command: str) -> None:
        """Carries a command out over a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(" ".join(command).encode() + b"\r\n")
        await reader.readline()
        writer.close()


class End:
    """One process's end of the bus, and what it got."""

    def __init__(self, layer: NotingLayer, name: str) -> None:
        self.layer = layer
        self.name = name
        self.got: list[Message] = []
        self._news = asyncio.Event()
        self.bus = Bus(layer, name, self._receive)
        self.bus.start()

    def _receive(self, message: Message) -> None:
        if message["kind"] == "unheard of":
            raise KeyError("unheard of")
        self.got.append(message)
        self._news.set()

    async def until(self, kind: str, again: Callable[[], None] = lambda: None) -> None:
        """Return when a message of a kind has come; ``again`` is done until then, because messages get lost."""

        async def looking() -> None:
            while kind not in [message["kind"] for message in self.got]:
                self._news.clear()
                again()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), AGAIN)

        await within(looking())

    async def ready(self) -> None:
        """Return when messages to this process arrive, and it can send."""
        await self.layer.joined(self.name)

    async def join(self, group: str) -> None:
        self.bus.join(group)
        await self.layer.joined(group)

    def numbers(self) -> list[int]:
        return [message["number"] for message in self.got if message["kind"] == "number"]


async def flows(sender: End, receiver: End, kind: str) -> None:
    """Return when what one sends arrives at the other."""
    await receiver.until(kind, again=lambda: sender.bus.send(receiver.name, {"kind": kind}))


class NewEnd(Protocol):
    def __call__(self, name: str, layer: type[NotingLayer] = NotingLayer) -> End: ...


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    server = Redis()
    yield server
    server.end()


@pytest_asyncio.fixture
async def end(own_redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NewEnd]:
    """Makes a process's end, by its name."""
    monkeypatch.setattr(bus, "_RETRY_SECONDS", AGAIN)
    ends: list[End] = []
    prefix = uuid4().hex

    def make(name: str, layer: type[NotingLayer] = NotingLayer) -> End:
        ends.append(End(layer(own_redis.url, prefix), name))
        return ends[-1]

    yield make
    for each in ends:
        await within(each.bus.stop())


async def two(end: NewEnd, own_redis: Redis) -> tuple[End, End]:
    """Two processes that hear each other."""
    await own_redis.start()
    a, b = end("a"), end("b")
    for each in (a, b):
        await each.ready()
    return a, b


async def test_messages_arrive_in_order_in_a_joined_group_and_not_elsewhere(redis_url: str, end: NewEnd) -> None:
    prefix = uuid4().hex
    a, b, c = (End(NotingLayer(redis_url, prefix), name) for name in "abc")
    for each in (a, b, c):
        await each.ready()
    for each in (a, b):
        await each.join("group")
    for number in range(1_000):
        a.bus.send("group", {"kind": "number", "number": number})
        if number % 100 == 0:
            await asyncio.sleep(0)
    for other in (b, c):
        a.bus.send(other.name, {"kind": "last"})
        await other.until("last")
    assert b.numbers() == list(range(1_000))
    assert (a.got, c.got) == ([], [{"kind": "last"}])
    for each in (a, b, c):
        await each.bus.stop()


async def test_who_leaves_a_group_and_comes_back_is_in_it(own_redis: Redis, end: NewEnd) -> None:
    a, b = await two(end, own_redis)
    for _ in range(3):
        await b.join("group")
        b.bus.leave("group")
    await b.join("group")
    await b.until("heard", again=lambda: a.bus.send("group", {"kind": "heard"}))


async def test_who_left_a_group_gets_no_more_of_it(own_redis: Redis, end: NewEnd) -> None:
    a, b = await two(end, own_redis)
    await b.join("group")
    b.bus.leave("group")
    await b.join("another")
    a.bus.send("group", {"kind": "unheard"})
    a.bus.send("another", {"kind": "last"})
    await b.until("last")
    assert b.got == [{"kind": "last"}]


async def test_without_a_layer_nothing_is_sent(own_redis: Redis) -> None:
    alone = Bus(None, "a", lambda message: None)
    alone.start()
    alone.send("b", {"kind": "unheard"})
    assert alone.is_alone
    await alone.stop()


@pytest.mark.parametrize("kind", ["pubsub", pytest.param("normal", marks=pytest.mark.thorough)])
async def test_after_a_connection_was_cut_messages_flow_again(own_redis: Redis, end: NewEnd, kind: str) -> None:
    a, b = await two(end, own_redis)
    for each in (a, b):
        await each.join("group")
    await own_redis.run("CLIENT", "KILL", "TYPE", kind)
    await flows(a, b, "there")
    await flows(b, a, "and back")
    await b.until("of the group", again=lambda: a.bus.send("group", {"kind": "of the group"}))


@pytest.mark.thorough
async def test_after_redis_was_killed_messages_flow_again(own_redis: Redis, end: NewEnd) -> None:
    a, b = await two(end, own_redis)
    await b.join("group")
    await own_redis.kill()
    for number in range(100):
        a.bus.send("group", {"kind": "number", "number": number})
    await own_redis.start()
    await flows(a, b, "there")
    await flows(b, a, "and back")
    await b.until("of the group", again=lambda: a.bus.send("group", {"kind": "of the group"}))


async def test_while_redis_stands_still_nobody_waits_and_afterwards_messages_flow_again(
    own_redis: Redis, end: NewEnd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Connections are there, and nothing comes back on them."""
    a, b = await two(end, own_redis)
    await b.join("group")
    monkeypatch.setattr(bus, "REDIS_TIMEOUT", 0.2)
    own_redis.signal(signal.SIGSTOP)
    try:
        while not caplog.records:
            a.bus.send("group", {"kind": "number", "number": 0})
            await asyncio.sleep(0)
        await within(end("stops while nothing answers").bus.stop())
    finally:
        own_redis.signal(signal.SIGCONT)
    await flows(a, b, "there")
    await flows(b, a, "and back")


async def test_a_process_starts_before_its_redis(own_redis: Redis, end: NewEnd) -> None:
    a, b = end("a"), end("b")
    a.bus.send("b", {"kind": "unheard"})
    await own_redis.start()
    await flows(a, b, "hello")
    assert {message["kind"] for message in b.got} == {"hello"}


async def test_no_more_than_a_bound_waits(own_redis: Redis, end: NewEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "BACKLOG", 10)
    a, b = await two(end, own_redis)
    await b.join("group")
    for number in range(25):
        a.bus.send("group", {"kind": "number", "number": number})
    await flows(a, b, "last")
    assert b.numbers() == list(range(10))


async def test_a_message_of_another_kind_ends_nothing(own_redis: Redis, end: NewEnd) -> None:
    a, b = await two(end, own_redis)
    for strange in ({}, {"from": "a"}, {"from": "a", "messages": [{"kind": "unheard of"}]}, {"from": "b"}):
        await a.layer.group_send("b", strange)
    await flows(a, b, "after")


async def test_a_message_that_is_no_list_of_messages_ends_nothing(own_redis: Redis, end: NewEnd) -> None:
    """What another version of this software may send."""
    a, b = await two(end, own_redis)
    for strange in (7, [7], None):
        await a.layer.group_send("b", {"from": "a", "messages": strange})
    await a.layer.group_send("b", {"from": "a", "messages": [{"kind": "after"}]})
    await b.until("after")


async def test_an_outage_is_one_line_of_the_log(
    own_redis: Redis, end: NewEnd, caplog: pytest.LogCaptureFixture
) -> None:
    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == bus.__name__]

    a, b = await two(end, own_redis)
    await own_redis.kill()
    while not lines():
        a.bus.send("group", {"kind": "unheard"})
        await asyncio.sleep(0)
    await own_redis.start()
    await flows(b, a, "back")
    assert len(lines()) <= 2  # of each of the two, at the most


class Deaf(NotingLayer):
    """Takes a cancellation, once, for the answer: as a client may that is cancelled while it gets one."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(url, prefix)
        self.sends = asyncio.Event()
        self.has_failed = asyncio.Event()

    async def group_add(self, group: str, channel: str) -> None:
        if group == "broken" and not self.has_failed.is_set():
            self.has_failed.set()
            raise ConnectionError
        await super().group_add(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await RedisLayer.__getattr__(self, "group_send")(group, message)
        if group == "held" and not self.sends.is_set():
            self.sends.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()


async def test_a_client_that_outlives_its_cancellation_keeps_nobody_from_the_bus(own_redis: Redis, end: NewEnd) -> None:
    await own_redis.start()
    a, b = end("a", Deaf), end("b")
    for each in (a, b):
        await each.ready()
    assert isinstance(a.layer, Deaf)
    a.bus.send("held", {"kind": "number"})
    await within(a.layer.sends.wait())
    a.bus.join("broken")
    await within(a.layer.has_failed.wait())
    await flows(b, a, "there")
    await flows(a, b, "and back")
