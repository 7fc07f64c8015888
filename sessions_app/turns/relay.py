"""Carry items between processes over the channel layer: in order, without waiting, and allowed to lose.

Nothing that must be true depends on it: rows say what is so, items only say it sooner. What it
does promise is that a loss is noticed. Redis's pub/sub forgets what is published while a
subscriber's connection is down, and tells nobody. So once a second a process sends itself a
*pulse*, which says how many connections it had made by then. A pulse that comes back, with no
connection made since it was sent, has gone the whole way, and so has all that came in between;
one that comes back over other connections than the last one's tells that something may have
been lost since that. What could not be sent is lost for its group: the group is told when it can.

One group is the unit of order: a group's items wait in one list, and go in one message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

logger = logging.getLogger(__name__)

Item = dict[str, Any]

# Seconds after which a send, or a subscription, has failed: Redis is away or does not answer.
PATIENCE = 2.0
# Items that may wait while Redis is away. A turn's are some tens.
BACKLOG = 10_000
_AGAIN = 0.5
PULSE = "pulse"


class Layer(Protocol):
    """What is needed of a channel layer; ``connections`` to its server were made so far."""

    connections: int

    async def new_channel(self) -> str:
        """Make a channel of this process."""

    async def receive(self, channel: str) -> dict[str, Any]:
        """Await the next message."""

    async def group_add(self, group: str, channel: str) -> None:
        """Subscribe a channel to a group."""

    async def group_discard(self, group: str, channel: str) -> None:
        """Take it out again."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Send to all channels of a group, in any process."""

    async def flush(self) -> None:
        """Close the connections."""


class Relay:
    """This process's end of the channel layer. Lives from ``start`` to ``stop``, in one event loop.

    ``receive`` gets each item that another process sent to a group that was joined; ``lost`` the
    seconds since when items may have been lost. Without a ``layer`` there is no other process: nothing is sent.
    """

    def __init__(
        self,
        layer: Layer | None,
        process: str,
        *,
        receive: Callable[[str, Item], None],
        lost: Callable[[float], None],
    ) -> None:
        self._layer = layer
        self._process = process
        self._receive = receive
        self._lost = lost
        self._outgoing: dict[str, list[Item]] = {}
        self._waiting = 0
        self._unsent: dict[str, float] = {}
        self._wanted: dict[str, asyncio.Event] = {process: asyncio.Event()}
        self._joined: set[str] = set()
        # Groups for which the two may differ.
        self._changes: dict[str, None] = {process: None}
        self._away = False
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._changed = asyncio.Event()
        self._whole: int | None = None
        self._heard = 0.0
        self._channel = ""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to send and to receive."""
        if self._layer is not None:
            work = (self._receive_all(self._layer), self._keep_groups(self._layer), self._send_all(self._layer))
            self._tasks = [asyncio.create_task(each) for each in work]

    async def stop(self) -> None:
        """Send what waits, for a moment, and end."""
        if self._layer is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._idle.wait()
        # A Redis that does not answer would not let go of them, nor of its connections.
        for ending in (self._cancel, self._layer.flush):
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await ending()

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def alone(self) -> bool:
        """Whether there is nobody to send to."""
        return self._layer is None

    def send(self, group: str, item: Item) -> None:
        """Send an item to the processes that have joined a group, this one excepted."""
        if self._layer is None:
            return
        if self._waiting >= BACKLOG:
            for each in self._outgoing:
                self._missed(each)
            self._outgoing.clear()
            self._waiting = 0
        self._outgoing.setdefault(group, []).append(item)
        self._waiting += 1
        self._idle.clear()
        self._news.set()

    def join(self, group: str) -> None:
        """Begin to receive a group's items, as soon as can be."""
        self._wanted.setdefault(group, asyncio.Event())
        self._change(group)

    def leave(self, group: str) -> None:
        """Receive no more of a group's items."""
        self._wanted.pop(group, None)
        self._change(group)

    def _change(self, group: str) -> None:
        self._changes[group] = None
        self._changed.set()

    async def joined(self, group: str) -> None:
        """Wait until a group's items arrive; not when Redis is away, and no longer than it may take to answer."""
        arrives = self._wanted.get(group)
        if self._layer is None or self._away or arrives is None or arrives.is_set():
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await arrives.wait()
        except TimeoutError:
            logger.warning("the channel layer does not answer")

    def pulse(self) -> None:
        """Find out whether something was lost; called about once a second."""
        if self._layer is not None:
            self.send(self._process, {"kind": PULSE, "connections": self._layer.connections})

    async def _send_all(self, layer: Layer) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._outgoing:
                group = next(iter(self._outgoing))
                items = self._outgoing.pop(group)
                self._waiting -= len(items)
                try:
                    async with asyncio.timeout(PATIENCE):
                        await layer.group_send(group, {"from": self._process, "items": items})
                except Exception as error:
                    logger.warning("other processes could not be told: %s", type(error).__name__)
                    self._missed(group)
            self._idle.set()

    def _missed(self, group: str) -> None:
        if group != self._process:
            self._unsent.setdefault(group, asyncio.get_running_loop().time())

    async def _keep_groups(self, layer: Layer) -> None:
        while True:
            try:
                if not self._channel:
                    async with asyncio.timeout(PATIENCE):
                        self._channel = await layer.new_channel()
                while self._changes:
                    group = next(iter(self._changes))
                    async with asyncio.timeout(PATIENCE):
                        await self._settle(layer, group)
                self._away = False
                await self._changed.wait()
                self._changed.clear()
            except Exception as error:
                self._away = True
                logger.warning("the channel layer cannot be reached: %s", type(error).__name__)
                await asyncio.sleep(_AGAIN)

    async def _settle(self, layer: Layer, group: str) -> None:
        """Make what is joined what is wanted, for one group."""
        while (group in self._wanted) != (group in self._joined):
            if group in self._wanted:
                await layer.group_add(group, self._channel)
                self._joined.add(group)
            else:
                await layer.group_discard(group, self._channel)
                self._joined.discard(group)
        del self._changes[group]
        if (arrives := self._wanted.get(group)) is not None:
            arrives.set()

    async def _receive_all(self, layer: Layer) -> None:
        await self._wanted[self._process].wait()
        while True:
            message = await layer.receive(self._channel)
            if message["from"] != self._process:
                for item in message["items"]:
                    self._take(message["from"], item)
            elif message["items"][-1]["kind"] == PULSE:
                self._beaten(message["items"][-1]["connections"], layer.connections)

    def _take(self, sender: str, item: Item) -> None:
        try:
            self._receive(sender, item)
        except Exception:  # an item of another version of this software must not end the receiving
            logger.exception("an item of another process could not be taken")

    def _beaten(self, connections: int, now_made: int) -> None:
        """Take in a pulse of our own that has gone the whole way."""
        if connections != now_made:
            return  # made again meanwhile: the next pulse tells
        now = asyncio.get_running_loop().time()
        before, self._whole = self._whole, connections
        since, self._heard = now - self._heard, now
        if before is not None and before != connections:
            self._lost(since)
        unsent, self._unsent = self._unsent, {}
        for group, failed in unsent.items():
            self.send(group, {"kind": "lost", "group": group, "seconds": now - failed + PATIENCE})
