"""Items between processes, over a Redis that is cut off, restarted, or not there yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Protocol
from uuid import uuid4

import pytest
import pytest_asyncio

from hermes_site.redis_layer import RedisLayer
from sessions_app.turns import relay
from sessions_app.turns.layer import Item
from sessions_app.turns.relay import Relay
from tests import services
from tests.processes import Process
from tests.turns.host import within


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

    async def run(self, *command: str) -> None:
        """Carries a command out over a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(" ".join(command).encode() + b"\r\n")
        await reader.readline()
        writer.close()


class End:
    """One process's end of the relay: what it got, and what it was told to be lost."""

    def __init__(self, layer: RedisLayer, name: str) -> None:
        self.got: list[tuple[str, Item]] = []
        self.lost: list[float] = []
        self.news = asyncio.Event()
        self.relay = Relay(layer, name, receive=self._receive, lost=self.lost.append)
        self.relay.start()

    def _receive(self, sender: str, item: Item) -> None:
        self.got.append((sender, item))
        self.news.set()

    async def until(self, happened: Callable[[], object]) -> None:
        """Return when something is so, which only items or pulses can make so."""

        async def looking() -> None:
            while not happened():
                self.news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), PULSE)

        await within(looking())

    async def join(self, group: str) -> None:
        """Return when the items of a group arrive here."""
        self.relay.join(group)
        await self.until(self.relay._wanted[group].is_set)

    async def stop(self) -> None:
        await self.relay.stop()


PULSE = 0.05


class NewEnd(Protocol):
    def __call__(self, name: str, layer: type[RedisLayer] = RedisLayer) -> End: ...


class Deaf(RedisLayer):
    """Takes a cancellation, once, for the answer: as a client may that is cancelled while it gets one."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(url, prefix)
        self.sends = asyncio.Event()

    async def group_send(self, group: str, message: Item) -> None:
        await self.__getattr__("group_send")(group, message)  # the layer has its methods so
        if group == "held" and not self.sends.is_set():
            self.sends.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    server = Redis()
    yield server
    server.end()


@pytest_asyncio.fixture
async def end(own_redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NewEnd]:
    """Makes a process's end, by its name."""
    monkeypatch.setattr(relay, "PULSE_SECONDS", PULSE)
    ends: list[End] = []
    prefix = uuid4().hex

    def make(name: str, layer: type[RedisLayer] = RedisLayer) -> End:
        ends.append(End(layer(own_redis.url, prefix), name))
        return ends[-1]

    yield make
    for each in ends:
        await each.stop()


async def test_items_of_a_group_arrive_in_order_at_all_others_who_joined(own_redis: Redis, end: NewEnd) -> None:
    await own_redis.start()
    a, b, c = end("a"), end("b"), end("c")
    for each in (a, b):
        await each.join("group")
    for number in range(1_000):
        a.relay.send("group", {"kind": "number", "number": number})
    a.relay.send("b", {"kind": "last"})
    await b.until(lambda: ("a", {"kind": "last"}) in b.got)
    assert [item["number"] for _, item in b.got[:-1]] == list(range(1_000))
    assert (a.got, c.got) == ([], [])


async def test_who_leaves_a_group_and_comes_back_is_in_it(own_redis: Redis, end: NewEnd) -> None:
    await own_redis.start()
    a, b = end("a"), end("b")
    for _ in range(3):
        await b.join("group")
        b.relay.leave("group")
    await b.join("group")
    assert b.relay._wanted["group"].is_set()
    a.relay.send("group", {"kind": "heard"})
    await b.until(lambda: b.got)


async def test_who_left_a_group_gets_no_more_of_it(own_redis: Redis, end: NewEnd) -> None:
    await own_redis.start()
    a, b = end("a"), end("b")
    await b.join("group")
    b.relay.leave("group")
    await b.until(lambda: "group" not in b.relay._joined)
    a.relay.send("group", {"kind": "unheard"})
    a.relay.send("b", {"kind": "last"})
    await b.until(lambda: b.got)
    assert b.got == [("a", {"kind": "last"})]


@pytest.mark.parametrize("kind", ["pubsub", "normal"])
async def test_a_cut_connection_is_noticed_once_and_mended(own_redis: Redis, end: NewEnd, kind: str) -> None:
    await own_redis.start()
    a, b = end("a"), end("b")
    for each in (a, b):
        await each.until(lambda each=each: each.relay._whole)  # type: ignore[misc]
    await own_redis.run("CLIENT", "KILL", "TYPE", kind)
    await b.until(lambda: b.lost)
    a.relay.send("b", {"kind": "after"})
    await b.until(lambda: ("a", {"kind": "after"}) in b.got)
    assert len(b.lost) == 1


async def test_what_could_not_be_sent_is_told_to_be_lost_when_redis_is_back(own_redis: Redis, end: NewEnd) -> None:
    await own_redis.start()
    a, b = end("a"), end("b")
    b.relay.join("group")
    for each in (a, b):
        await each.until(lambda each=each: each.relay._whole)  # type: ignore[misc]
    await own_redis.kill()
    a.relay.send("group", {"kind": "lost on the way"})
    await a.until(lambda: "group" in a.relay._unsent)
    await own_redis.start()
    await b.until(lambda: b.lost)
    await b.until(lambda: [item for _, item in b.got if item["kind"] == "lost" and item["group"] == "group"])
    a.relay.send("group", {"kind": "after"})
    await b.until(lambda: ("a", {"kind": "after"}) in b.got)


async def test_a_process_starts_before_its_redis(own_redis: Redis, end: NewEnd) -> None:
    a, b = end("a"), end("b")
    await a.until(lambda: a.relay._wanted and not a.relay._channel)
    await own_redis.start()
    await b.until(lambda: b.relay._whole)
    a.relay.send("b", {"kind": "hello"})
    await b.until(lambda: ("a", {"kind": "hello"}) in b.got)


async def test_no_more_than_a_bound_waits_and_its_groups_are_told(
    own_redis: Redis, end: NewEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions_app.turns.relay.BACKLOG", 10)
    await own_redis.start()
    a, b = end("a"), end("b")
    b.relay.join("group")
    for each in (a, b):
        await each.until(lambda each=each: each.relay._whole)  # type: ignore[misc]
    for number in range(25):
        a.relay.send("group", {"kind": "number", "number": number})
    await b.until(lambda: [item for _, item in b.got if item["kind"] == "lost"])
    assert [item["number"] for _, item in b.got if item["kind"] == "number"] == [20, 21, 22, 23, 24]


async def test_a_process_that_starts_before_its_redis_knows_that_it_missed_something(
    own_redis: Redis, end: NewEnd
) -> None:
    a = end("a")
    await a.until(lambda: a.relay._away)
    await own_redis.start()
    await a.until(lambda: a.lost)


async def test_a_message_of_another_kind_ends_nothing(own_redis: Redis, end: NewEnd) -> None:
    await own_redis.start()
    a, b = end("a"), end("b")
    for each in (a, b):
        await each.until(lambda each=each: each.relay._whole)  # type: ignore[misc]
    for strange in ({}, {"from": "a"}, {"from": "a", "items": [7]}, {"from": "b", "items": []}):
        assert a.relay._layer is not None
        await a.relay._layer.group_send("b", strange)
    a.relay.send("b", {"kind": "after"})
    await b.until(lambda: ("a", {"kind": "after"}) in b.got)


async def test_a_connection_that_carries_nothing_any_more_is_given_up(
    own_redis: Redis, end: NewEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing says that the other end is gone, as behind a failed router: no pulse comes back."""
    await own_redis.start()
    a, b = end("a"), end("b")
    for each in (a, b):
        await each.until(lambda each=each: each.relay._whole)  # type: ignore[misc]
    shard = b.relay._layer._get_layer()._shards[0]  # type: ignore[union-attr]
    with monkeypatch.context() as deaf:
        deaf.setattr(shard, "_receive_message", lambda message: None)
        await b.until(lambda: b.relay._away)
    await b.until(lambda: b.lost)
    a.relay.send("b", {"kind": "after"})
    await b.until(lambda: ("a", {"kind": "after"}) in b.got)


async def test_an_outage_is_one_line_of_the_log(
    own_redis: Redis, end: NewEnd, caplog: pytest.LogCaptureFixture
) -> None:
    await own_redis.start()
    a = end("a")
    await a.until(lambda: a.relay._whole)
    await own_redis.kill()
    for _ in range(100):
        a.relay.send("group", {"kind": "unheard"})
        await asyncio.sleep(0)
    await a.until(lambda: a.relay._away)
    for _ in range(100):
        a.relay.send("group", {"kind": "unheard"})
    await own_redis.start()
    await a.until(lambda: not a.relay._away)
    assert len([record for record in caplog.records if record.name == relay.__name__]) == 1


async def sending(end: End) -> None:
    """Return when the client of this end is in the midst of a send that no cancellation ends."""
    layer = end.relay._layer
    assert isinstance(layer, Deaf)
    end.relay.send("held", {"kind": "number"})
    await within(layer.sends.wait())


async def test_a_client_that_outlives_its_cancellation_does_not_keep_the_link_from_being_made_anew(
    own_redis: Redis, end: NewEnd
) -> None:
    await own_redis.start()
    a = end("a", Deaf)
    await sending(a)
    await own_redis.kill()
    a.relay.join("group")
    await own_redis.start()
    await a.until(lambda: a.lost)


async def test_a_send_that_was_cut_off_is_not_taken_for_one_that_arrived(own_redis: Redis, end: NewEnd) -> None:
    await own_redis.start()
    a, b = end("a", Deaf), end("b")
    await b.join("held")
    await sending(a)
    await b.until(lambda: [item for _, item in b.got if item["kind"] == "lost" and item["group"] == "held"])


class Slow(RedisLayer):
    """Joins one group only when it is let."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(url, prefix)
        self.lets = asyncio.Event()
        self.joins = asyncio.Event()

    async def group_add(self, group: str, channel: str) -> None:
        if group == "slow":
            self.joins.set()
            await self.lets.wait()
        await self.__getattr__("group_add")(group, channel)


async def test_what_was_lost_is_told_only_when_all_that_follows_arrives(own_redis: Redis, end: NewEnd) -> None:
    await own_redis.start()
    a, b = end("a", Slow), end("b")
    layer = a.relay._layer
    assert isinstance(layer, Slow)
    layer.lets.set()
    await a.join("slow")
    layer.lets.clear()
    layer.joins.clear()
    await own_redis.kill()
    await own_redis.start()
    await within(layer.joins.wait())
    await b.until(b.relay._wanted["b"].is_set)
    b.relay.send("a", {"kind": "number"})
    await a.until(lambda: a.got)
    assert a.lost == []
    layer.lets.set()
    await a.until(lambda: a.lost)
    b.relay.send("slow", {"kind": "last"})
    await a.until(lambda: ("b", {"kind": "last"}) in a.got)
