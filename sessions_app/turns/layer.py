"""What is needed of a channel layer, and how long it is waited for.

Nobody is believed to end because it was cancelled once, nor to have succeeded because it returned: a Redis client
that is cancelled just as it gets its answer may go on as if nothing had been.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol, TypeVar

Item = dict[str, Any]
R = TypeVar("R")

# Seconds after which a send, or a subscription, has failed: Redis is away or does not answer.
PATIENCE = 2.0
_AGAIN = 0.5


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


async def in_time(work: Coroutine[Any, Any, R]) -> R:
    """Await it for as long as Redis may take.

    Raises TimeoutError, also where the work took its cancellation for an answer.
    """
    async with asyncio.timeout(PATIENCE) as limit:
        result = await work
    if limit.expired():
        raise TimeoutError
    return result


async def end_all(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel them until they have ended."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_AGAIN)
