"""Carry items between processes over the channel layer: in order, without waiting, and allowed to lose.

Nothing that must be true depends on it: rows say what is so, items only say it sooner. What it
does promise is that a loss is noticed. Redis's pub/sub forgets what is published while a
subscriber's connection is down, and tells nobody. So once a second a process sends itself a
*pulse*, which says how many connections it had made by then. A pulse that comes back, with no
connection made since it was sent, has gone the whole way, and so has all that came in between;
one that comes back over other connections than the last one's tells that something may have
been lost since that. The first pulse of a link waits until all groups are joined: else it would
come back, and tell of what was lost till then, before all that follows arrives.

When a pulse stays away, or anything else fails, the *link* is given up and made anew. While there
is none nothing waits: what is not sent is lost for its group, which is told so as soon as it can be.

One group is the unit of order: a group's items wait in one list, and go in one message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from sessions_app.turns.layer import PATIENCE, Item, Layer, end_all, in_time

logger = logging.getLogger(__name__)

# Seconds between two pulses, and until one that stays away ends the link.
PULSE_SECONDS, SILENT_SECONDS = 1.0, 5.0
# What a link has: one that publishes, one that is subscribed.
CONNECTIONS = 2
# Items that may wait: a turn's are some tens, so the link is not fast enough, or stands.
BACKLOG = 10_000
_AGAIN = 0.5
_PULSE = "pulse"


class LinkLost(Exception):  # an outcome, not a fault
    """The way over the channel layer does not carry any more."""


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
        self._complete = asyncio.Event()
        self._whole: int | None = None
        self._born = 0
        self._heard = 0.0
        self._channel = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send and to receive."""
        if self._layer is not None:
            self._heard = asyncio.get_running_loop().time()
            self._task = asyncio.create_task(self._serve(self._layer))

    async def stop(self) -> None:
        """Send what waits, for a moment, and end."""
        if self._layer is None or self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._idle.wait()
        self._away = True
        self._task.cancel()
        await asyncio.wait([self._task], timeout=2 * PATIENCE)
        await self._let_go(self._layer)

    async def _let_go(self, layer: Layer) -> None:
        """Close the connections; a Redis that does not answer would keep us waiting."""
        with suppress(Exception):
            await in_time(layer.flush())

    @property
    def alone(self) -> bool:
        """Whether there is nobody to send to."""
        return self._layer is None

    def send(self, group: str, item: Item) -> None:
        """Send an item to the processes that have joined a group, this one excepted."""
        if self._layer is None:
            return
        if self._away and group != self._process:
            self._missed(group)
            return
        if self._waiting >= BACKLOG:
            self._drop_all()
        self._outgoing.setdefault(group, []).append(item)
        self._waiting += 1
        self._idle.clear()
        self._news.set()

    def _drop_all(self) -> None:
        for group in self._outgoing:
            self._missed(group)
        self._outgoing.clear()
        self._waiting = 0

    def _missed(self, group: str) -> None:
        if group != self._process:
            self._unsent.setdefault(group, asyncio.get_running_loop().time())

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

    async def _serve(self, layer: Layer) -> None:
        while True:
            try:
                await self._link(layer)
            except Exception as error:
                if not self._away:
                    logger.warning("other processes cannot be reached: %s", type(error).__name__)
            self._away = True
            self._drop_all()
            self._idle.set()
            self._whole = self._whole or 0  # from now on there is something to miss
            await self._let_go(layer)
            self._channel = ""
            self._joined.clear()
            self._changes = dict.fromkeys(self._wanted)
            await asyncio.sleep(_AGAIN)

    async def _link(self, layer: Layer) -> None:
        """Send and receive until one of it fails. Raises what it failed of."""
        self._born = layer.connections
        self._complete.clear()
        self._channel = await in_time(layer.new_channel())
        work = (self._keep_groups(layer), self._receive_all(layer), self._send_all(layer), self._send_pulses(layer))
        tasks = [asyncio.create_task(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            await end_all(tasks)

    async def _send_pulses(self, layer: Layer) -> None:
        await self._complete.wait()
        loop = asyncio.get_running_loop()
        began = loop.time()
        while loop.time() < max(self._heard, began) + SILENT_SECONDS:
            self.send(self._process, {"kind": _PULSE, "connections": layer.connections})
            await asyncio.sleep(PULSE_SECONDS)
        raise LinkLost

    async def _send_all(self, layer: Layer) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._outgoing:
                group = next(iter(self._outgoing))
                items = self._outgoing.pop(group)
                self._waiting -= len(items)
                try:
                    await in_time(layer.group_send(group, {"from": self._process, "items": items}))
                except BaseException:
                    self._missed(group)
                    raise
            self._idle.set()

    async def _keep_groups(self, layer: Layer) -> None:
        while True:
            while self._changes:
                await in_time(self._settle(layer, next(iter(self._changes))))
            self._complete.set()
            await self._changed.wait()
            self._changed.clear()

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
        while True:
            message = await layer.receive(self._channel)
            try:
                self._take(message["from"], message["items"], layer.connections)
            except LinkLost:
                raise
            except Exception:  # what another version of this software sends must not end the receiving
                logger.exception("a message of another process could not be taken")

    def _take(self, sender: str, items: list[Item], connections: int) -> None:
        if sender != self._process:
            for item in items:
                self._receive(sender, item)
        elif items[-1]["kind"] == _PULSE and items[-1]["connections"] == connections:
            self._gone_the_whole_way(connections)

    def _gone_the_whole_way(self, connections: int) -> None:
        """Take in a pulse of our own; no connection was made since it was sent. Raises LinkLost."""
        if connections != self._born + CONNECTIONS:
            raise LinkLost  # what was joined while one was made again may not be joined on the new one
        now = asyncio.get_running_loop().time()
        before, self._whole = self._whole, connections
        since, self._heard = now - self._heard, now
        self._away = False
        if before is not None and before != connections:
            self._lost(since)
        unsent, self._unsent = self._unsent, {}
        for group, failed in unsent.items():
            self.send(group, {"kind": "lost", "group": group, "seconds": now - failed + PATIENCE})
