"""What waits for one client is sent in order, bounded, and closed behind or before."""

from __future__ import annotations

import asyncio
from typing import Any

from sessions_app.api.outbox import BACKLOG, Outbox
from tests.api.client import PATIENCE


class Socket:
    """Takes what is sent; with ``reads`` cleared it takes nothing, as a client that stopped reading."""

    def __init__(self, *, reads: bool = True) -> None:
        self.reads = asyncio.Event()
        self.taken: asyncio.Queue[Any] = asyncio.Queue()
        if reads:
            self.reads.set()

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await self.reads.wait()
        self.taken.put_nowait(message.get("text") or message["code"])

    async def until(self, last: Any) -> list[Any]:
        """Return what was taken, up to ``last``."""
        taken: list[Any] = []
        async with asyncio.timeout(PATIENCE):
            while last not in taken:
                taken.append(await self.taken.get())
        return taken


async def test_frames_are_sent_in_order_and_the_close_comes_behind_them() -> None:
    socket = Socket()
    outbox = Outbox(socket.send)
    for frame in "abc":
        outbox.put(frame)
    outbox.close(4401)
    outbox.put("too late")
    outbox.close(4003)
    assert await socket.until(4401) == ["a", "b", "c", 4401]
    assert outbox.closed


async def test_a_frame_that_comes_later_is_sent_then() -> None:
    socket = Socket()
    outbox = Outbox(socket.send)
    for frame in "ab":
        outbox.put(frame)
        assert await socket.until(frame) == [frame]
    outbox.stop()


async def test_a_client_that_does_not_read_is_cut_off_at_the_bound() -> None:
    socket = Socket(reads=False)
    outbox = Outbox(socket.send)
    frame = "x" * 1024
    for _ in range(BACKLOG // len(frame) + 2):  # one is under way, and the bound itself is allowed
        outbox.put(frame)
        assert not outbox.closed
    outbox.put(frame)
    assert await socket.until(4008) == [4008]


async def test_one_large_frame_cuts_nobody_off() -> None:
    socket = Socket(reads=False)
    outbox = Outbox(socket.send)
    outbox.put("x" * 10 * BACKLOG)
    for _ in range(100):
        outbox.put("small")
    assert not outbox.closed
    socket.reads.set()
    outbox.close(4401)
    assert len(await socket.until(4401)) == 102


async def test_what_was_sent_counts_no_more() -> None:
    socket = Socket()
    outbox = Outbox(socket.send)
    for _ in range(8):
        outbox.put("x" * (BACKLOG // 2))
        await socket.taken.get()
    socket.reads.clear()
    for frame in ("under way", "waiting", "waiting too"):
        outbox.put(frame)
    socket.reads.set()
    outbox.close(4401)
    assert await socket.until(4401) == ["under way", "waiting", "waiting too", 4401]
