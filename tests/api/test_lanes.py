"""Commands of one lane keep their order; lanes do not wait for each other; the room is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sessions_app.api.decode import Request
from sessions_app.api.lanes import OUTSTANDING, Lanes, lane_of


def request(method: str, params: Any) -> Request:
    return Request(1, True, method, params)


def test_a_session_is_one_lane_however_its_id_is_written() -> None:
    lanes = {lane_of(request(method, {"session_id": name})) for method in ("a", "b") for name in ("ab-1", "AB-1")}
    assert lanes == {"ab-1"}


@pytest.mark.parametrize("params", [{}, [], {"session_id": 5}, {"session_id": ["x"]}])
def test_what_names_no_session_goes_by_its_method(params: Any) -> None:
    assert lane_of(request("session.search", params)) == "session.search"


class Work:
    """Pieces of work that end when they are told; ``ended`` is the order in which they did."""

    def __init__(self) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.began: asyncio.Queue[str] = asyncio.Queue()
        self.ended: list[str] = []

    def piece(self, name: str) -> Callable[[], Awaitable[None]]:
        gate = self.gates[name] = asyncio.Event()

        async def work() -> None:
            self.began.put_nowait(name)
            await gate.wait()
            self.ended.append(name)

        return work


async def test_one_lane_keeps_its_order_and_another_does_not_wait() -> None:
    lanes, work = Lanes(), Work()
    for name in ("a1", "a2", "b1"):
        await lanes.enter(name[0], work.piece(name), changes=True)
    assert {await work.began.get(), await work.began.get()} == {"a1", "b1"}
    work.gates["a2"].set()
    work.gates["b1"].set()
    await lanes.enter("b", work.piece("b2"), changes=True)
    assert await work.began.get() == "b2"
    assert work.ended == ["b1"]
    for gate in work.gates.values():
        gate.set()
    await lanes.leave()
    assert sorted(work.ended) == ["a1", "a2", "b1", "b2"]
    assert work.ended.index("a1") < work.ended.index("a2")


async def test_a_fault_in_a_lane_holds_nothing_up() -> None:
    lanes, work = Lanes(), Work()

    async def fault() -> None:
        raise asyncio.CancelledError

    await lanes.enter("a", fault, changes=True)
    await lanes.enter("a", work.piece("a2"), changes=True)
    assert await work.began.get() == "a2"
    work.gates["a2"].set()
    await lanes.leave()


async def test_without_room_the_next_command_waits_for_the_end_of_one() -> None:
    lanes, work = Lanes(), Work()
    for number in range(OUTSTANDING):
        await lanes.enter(str(number), work.piece(str(number)), changes=True)
    one_more = asyncio.create_task(lanes.enter("more", work.piece("more"), changes=True))
    for _ in range(OUTSTANDING):
        await work.began.get()
    assert not one_more.done()
    work.gates["7"].set()
    await one_more
    assert await work.began.get() == "more"
    for gate in work.gates.values():
        gate.set()
    await lanes.leave()
