"""Processes that hear each other over a real Redis."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from hermes_site.redis_layer import RedisLayer
from sessions_app.realtime.bus import Message
from tests.turns.fixtures import NewHost
from tests.turns.host import Host, within


class Lost:
    """Messages that were sent and arrived nowhere."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._more = asyncio.Event()

    def add(self, messages: list[Message]) -> None:
        self.messages += messages
        self._more.set()

    async def until(self, kind: str) -> None:
        """Return when one of a kind is among them."""
        while kind not in [message["kind"] for message in self.messages]:
            self._more.clear()
            await within(self._more.wait())


class NotingLayer(RedisLayer):
    """Tells which groups were joined, and loses messages where it is told to."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(url, prefix)
        # Where messages go that are not to arrive.
        self.lost: Lost | None = None
        self._joined: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def group_add(self, group: str, channel: str) -> None:
        await self.__getattr__("group_add")(group, channel)  # the layer has its methods so
        self._joined[group].set()

    async def group_discard(self, group: str, channel: str) -> None:
        await self.__getattr__("group_discard")(group, channel)
        self._joined[group].clear()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.lost is not None:
            self.lost.add(message["messages"])
        else:
            await self.__getattr__("group_send")(group, message)

    async def joined(self, group: str) -> None:
        """Return when messages of a group arrive here."""
        await within(self._joined[group].wait())


class Linked:
    """Starts processes that hear each other. Nothing is polled or looked at in them but by the test."""

    def __init__(self, new_host: NewHost, redis_url: str) -> None:
        self._new_host = new_host
        self._url = redis_url
        self._prefix = uuid4().hex
        self._layers: dict[str, NotingLayer] = {}

    async def __call__(self, **settings: Any) -> Host:
        layer = NotingLayer(self._url, self._prefix)
        host = await self._new_host(layer=layer, **settings)
        self._layers[host.runner.process] = layer
        for group in (host.runner.process, f"user.{host.user_id}"):
            await layer.joined(group)
        await host.runner.supervisor.stop()
        return host

    @contextmanager
    def cut(self, *hosts: Host) -> Iterator[Lost]:
        """Have nothing arrive of what these processes send; collects it."""
        lost = Lost()
        layers = [self._layers[host.runner.process] for host in hosts]
        for layer in layers:
            layer.lost = lost
        yield lost
        for layer in layers:
            layer.lost = None
