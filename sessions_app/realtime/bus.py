"""Messages between processes over the channel layer: fire and forget.

Nothing that must be true depends on their arrival: facts are in the journal and the text of a run in its checkpoint,
and each process looks there once a second. A message only says it sooner. So nobody waits, nothing is sent again, and
while the channel layer is away what would be sent is dropped.

A group is the unit of order: its messages wait in one list, and go together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

logger = logging.getLogger(__name__)

R = TypeVar("R")
Message = dict[str, Any]

# Seconds after which Redis has failed to answer, and until it is tried again.
REDIS_TIMEOUT, _RETRY_SECONDS = 2.0, 0.5
# Messages that may wait: a turn's are some tens, so the channel layer is not fast enough, or stands.
BACKLOG = 10_000


class Layer(Protocol):
    """What is needed of a channel layer."""

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


class Bus:
    """This process's end of the channel layer. Lives from ``start`` to ``stop``, in one event loop.

    ``receive`` gets each message that another process sent to a group that was joined. ``name`` is the group of this
    process alone. Without a ``layer`` there is no other process: nothing is sent.
    """

    def __init__(self, layer: Layer | None, name: str, receive: Callable[[Message], None]) -> None:
        self._layer = layer
        self._name = name
        self._receive = receive
        self._outgoing: dict[str, list[Message]] = {}
        self._waiting = 0
        self._wanted = {name}
        self._joined: set[str] = set()
        self._linked = False
        self._changed = asyncio.Event()
        self._has_work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_alone(self) -> bool:
        """Whether there is nobody to send to."""
        return self._layer is None

    @property
    def is_linked(self) -> bool:
        """Whether messages arrive here, as far as is known."""
        return self._linked

    def start(self) -> None:
        """Begin to send and to receive."""
        if self._layer is not None:
            self._task = asyncio.create_task(self._serve(self._layer))

    async def stop(self) -> None:
        """End. What waits is dropped: whom it is for will look."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2 * REDIS_TIMEOUT)

    def send(self, group: str, message: Message) -> None:
        """Send a message to the other processes that have joined a group, if the channel layer is there."""
        if not self._linked or self._waiting >= BACKLOG:
            return
        self._outgoing.setdefault(group, []).append(message)
        self._waiting += 1
        self._has_work.set()

    def join(self, group: str) -> None:
        """Begin to receive a group's messages, as soon as can be."""
        self._wanted.add(group)
        self._changed.set()

    def leave(self, group: str) -> None:
        """Receive no more of a group's messages."""
        self._wanted.discard(group)
        self._changed.set()

    async def _serve(self, layer: Layer) -> None:
        while True:
            try:
                await self._link(layer)
            except Exception as error:
                if self._linked:
                    logger.warning("other processes cannot be reached: %s", type(error).__name__)
            finally:
                self._linked = False
                self._outgoing.clear()
                self._waiting = 0
                with suppress(Exception):
                    await _in_time(layer.flush())
            await asyncio.sleep(_RETRY_SECONDS)

    async def _link(self, layer: Layer) -> None:
        """Send and receive until one of it fails. Raises what it failed of."""
        channel = await _in_time(layer.new_channel())
        self._joined.clear()
        await self._settle(layer, channel)
        self._linked = True
        work = (self._keep_groups(layer, channel), self._receive_all(layer, channel), self._send_all(layer))
        tasks = [asyncio.create_task(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            await _end_all(tasks)

    async def _keep_groups(self, layer: Layer, channel: str) -> None:
        while True:
            await self._changed.wait()
            await self._settle(layer, channel)

    async def _settle(self, layer: Layer, channel: str) -> None:
        """Join what is wanted, and leave the rest."""
        self._changed.clear()
        while self._wanted != self._joined:
            for group in self._wanted - self._joined:
                await _in_time(layer.group_add(group, channel))
                self._joined.add(group)
            for group in self._joined - self._wanted:
                await _in_time(layer.group_discard(group, channel))
                self._joined.discard(group)

    async def _send_all(self, layer: Layer) -> None:
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            while self._outgoing:
                group = next(iter(self._outgoing))
                messages = self._outgoing.pop(group)
                self._waiting -= len(messages)
                await _in_time(layer.group_send(group, {"from": self._name, "messages": messages}))

    async def _receive_all(self, layer: Layer, channel: str) -> None:
        while True:
            received = await layer.receive(channel)
            messages = received.get("messages")
            if received.get("from") != self._name and isinstance(messages, list):
                for message in messages:
                    self._take(message)

    def _take(self, message: Message) -> None:
        try:
            self._receive(message)
        except Exception:  # what another version of this software sends must not end the receiving
            logger.exception("a message of another process could not be taken")


def group_of(user_id: int) -> str:
    """Return the group of all processes that have a connection of a user."""
    return f"user.{user_id}"


async def _end_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel them until they have ended: a client may take a cancellation for its answer, and go on."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_RETRY_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


async def _in_time(work: Coroutine[Any, Any, R]) -> R:
    """Await it for as long as Redis may take. Raises TimeoutError."""
    async with asyncio.timeout(REDIS_TIMEOUT):
        return await work
