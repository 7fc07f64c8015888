"""What waits for one client is sent in order, bounded, and closed behind or before."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from sessions_app.api import outbox as outbox_module
from sessions_app.api.outbox import BACKLOG, CUT_OFF, Outbox, Send
from sessions_app.realtime.subscriptions import FRAMES_PER_ROUND
from sessions_app.scheduling.pace import Pace
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


def outbox_of(send: Send, longest_answer: int = 0, *, pace: Pace | None = None, user: str = "owner") -> Outbox:
    """An outbox of a user; those of one pace share the rounds of the event loop."""
    return Outbox(send, longest_answer, partial((pace or Pace(FRAMES_PER_ROUND)).begin, user))


async def test_frames_are_sent_in_order_and_the_close_comes_behind_them() -> None:
    socket = Socket()
    outbox = outbox_of(socket.send)
    outbox.tell("a")
    outbox.respond("b")
    outbox.tell("c")
    outbox.close(4401)
    outbox.tell("too late")
    outbox.respond("too late")
    outbox.close(4003)
    assert await socket.until(4401) == ["a", "b", "c", 4401]
    assert outbox.closed


async def test_a_frame_that_comes_later_is_sent_then() -> None:
    socket = Socket()
    outbox = outbox_of(socket.send)
    for frame in "ab":
        outbox.tell(frame)
        assert await socket.until(frame) == [frame]
    outbox.stop()


async def test_the_longest_answer_may_come_at_once() -> None:
    socket = Socket(reads=False)
    outbox = outbox_of(socket.send, 1_000_000)
    for frame in ("a" * 2_000_000, "b" * 2_000_000, "c"):
        outbox.tell(frame)
    assert not outbox.closed
    socket.reads.set()
    await socket.until("c")
    outbox.stop()


async def test_a_client_that_does_not_read_is_cut_off_at_the_bound() -> None:
    socket = Socket(reads=False)
    outbox = outbox_of(socket.send)
    frame = "x" * 1024
    for _ in range(BACKLOG // len(frame) + 1):  # the bound itself is allowed
        outbox.tell(frame)
        assert not outbox.closed
    outbox.tell(frame)
    assert await socket.until(4008) == [4008]


async def test_large_answers_cut_nobody_off() -> None:
    socket = Socket(reads=False)
    outbox = outbox_of(socket.send)
    outbox.respond("x" * 10 * BACKLOG)
    outbox.respond("x" * 10 * BACKLOG)
    for _ in range(99):
        outbox.tell("small")
    assert not outbox.closed
    socket.reads.set()
    outbox.close(4401)
    assert len(await socket.until(4401)) == 102


async def test_what_was_sent_counts_no_more() -> None:
    socket = Socket()
    outbox = outbox_of(socket.send)
    for _ in range(8):
        outbox.tell("x" * (BACKLOG // 2))
        await socket.taken.get()
    socket.reads.clear()
    for frame in ("under way", "waiting", "waiting too"):
        outbox.tell(frame)
    socket.reads.set()
    outbox.close(4401)
    assert await socket.until(4401) == ["under way", "waiting", "waiting too", 4401]


async def test_commands_wait_while_answers_are_not_read() -> None:
    socket = Socket(reads=False)
    outbox = outbox_of(socket.send)
    await outbox.room()
    outbox.respond("x" * (BACKLOG + 1))
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    socket.reads.set()
    async with asyncio.timeout(PATIENCE):
        await waiting
    outbox.stop()


async def test_who_waits_for_room_goes_on_when_the_client_has_gone() -> None:
    for end in (Outbox.stop, partial(Outbox.close, code=4401)):
        outbox = outbox_of(Socket(reads=False).send)
        outbox.respond("x" * (BACKLOG + 1))
        waiting = asyncio.create_task(outbox.room())
        end(outbox)
        async with asyncio.timeout(PATIENCE):
            await waiting
        outbox.stop()


async def test_who_takes_nothing_at_all_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "STALLED", 0.01)
    socket = Socket(reads=False)
    outbox = outbox_of(socket.send)
    outbox.respond("x")
    outbox.respond("y")
    assert await socket.until(4008) == [4008]
    assert outbox.closed


async def test_who_is_cut_off_is_counted_once_and_who_is_closed_otherwise_is_not() -> None:
    def cut_off() -> float:
        ((sample,),) = (metric.samples for metric in CUT_OFF.collect())
        return sample.value

    before = cut_off()
    slow, stranger = Socket(reads=False), Socket()
    outbox = outbox_of(slow.send)
    for _ in range(4):
        outbox.tell("x" * BACKLOG)
    await slow.until(4008)
    outbox_of(stranger.send).close(4401)
    await stranger.until(4401)
    assert cut_off() - before == 1


async def test_an_event_for_many_tabs_holds_up_nobody_elses_answer() -> None:
    sent: list[str] = []
    first, last = asyncio.Event(), asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["text"])
        first.set()
        if len(sent) == 3 * len(tabs) + 1:
            last.set()

    pace = Pace(FRAMES_PER_ROUND)
    tabs, other = [outbox_of(send, pace=pace) for _ in range(500)], outbox_of(send, pace=pace, user="other")
    for number in range(3):
        for tab in tabs:
            tab.tell(f"event {number}")
    await first.wait()
    other.respond("answer")
    await last.wait()
    # Those of the few rounds until this test, the other's writer and its turn come, and not all 1,500.
    assert sent.index("answer") < 100
    for outbox in (*tabs, other):
        outbox.stop()


async def test_a_tab_gets_its_frames_in_order_at_any_pace() -> None:
    sockets, pace = [Socket() for _ in range(50)], Pace(3)
    outboxes = [outbox_of(socket.send, pace=pace) for socket in sockets]
    frames = [str(number) for number in range(20)]
    for frame in frames:
        for outbox in outboxes:
            outbox.tell(frame)
    for socket in sockets:
        assert await socket.until(frames[-1]) == frames
    for outbox in outboxes:
        outbox.stop()
