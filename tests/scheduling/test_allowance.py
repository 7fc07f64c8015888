"""A user's work takes at once what they have saved, and then a fraction of the time."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.scheduling.allowance import LONGEST_WAIT, Allowance
from tests.processes import PATIENCE


class Hand:
    """A clock that stands, but while work is done and while somebody waits for their time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.waits: list[float] = []
        self._sleep_really = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    def allowance(self, *, saved: float = 2.0, fraction: float = 0.5, at_once: int = 1) -> Allowance:
        return Allowance(saved=saved, fraction=fraction, at_once=at_once, clock=lambda: self.now)

    def work(self, seconds: float) -> str:
        self.now += seconds
        return "done"

    async def _sleep(self, seconds: float) -> None:
        if threading.current_thread() is threading.main_thread():
            self.waits.append(seconds)
            self.now += seconds
        else:  # a server that other tests have started in a thread: it would not rest any more
            await self._sleep_really(seconds)


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    return Hand(monkeypatch)


async def spend(allowance: Allowance, user: str, hand: Hand, seconds: float) -> None:
    async with allowance.use(user) as account:
        assert account.counted(hand.work)(seconds) == "done"


async def test_what_was_saved_is_used_at_once(hand: Hand) -> None:
    allowance = hand.allowance(saved=2)
    for _ in range(4):
        await spend(allowance, "one", hand, 0.5)
    assert hand.waits == []


async def test_after_that_it_takes_a_fraction_of_the_time(hand: Hand) -> None:
    allowance = hand.allowance(saved=2, fraction=0.5)
    await spend(allowance, "one", hand, 2)
    began = hand.now
    for _ in range(100):
        await spend(allowance, "one", hand, 1)
    # Each second of work, and another one of waiting, but for the last.
    assert hand.now - began == pytest.approx(199, abs=2)


async def test_others_have_an_account_of_their_own(hand: Hand) -> None:
    allowance = hand.allowance(saved=2)
    await spend(allowance, "one", hand, 20)
    await spend(allowance, "other", hand, 1)
    assert hand.waits == []
    await spend(allowance, "one", hand, 1)
    assert hand.waits != []


async def test_work_that_raises_is_charged_for(hand: Hand) -> None:
    allowance = hand.allowance(saved=2)

    def fail() -> None:
        hand.work(20)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with allowance.use("one") as account:
            account.counted(fail)()
    await spend(allowance, "one", hand, 1)
    assert hand.waits == [pytest.approx(36)]


async def test_work_that_nobody_waits_for_any_more_is_charged_for(hand: Hand) -> None:
    allowance = hand.allowance(saved=2)
    async with allowance.use("one") as account:
        later = account.counted(partial(hand.work, 20))
    await asyncio.to_thread(later)
    await spend(allowance, "one", hand, 1)
    assert hand.waits == [pytest.approx(36)]


async def test_after_a_database_stood_still_nobody_waits_for_long(hand: Hand) -> None:
    allowance = hand.allowance(saved=2, fraction=0.1)
    for _ in range(2):
        await spend(allowance, "one", hand, 120)
    hand.waits.clear()
    await spend(allowance, "one", hand, 0.01)
    assert hand.waits == [pytest.approx(LONGEST_WAIT)]


async def test_so_many_pieces_of_a_user_are_under_way_and_no_more() -> None:
    allowance = Allowance(saved=2, fraction=0.5, at_once=2)
    go, under_way, most = asyncio.Event(), 0, 0

    async def piece() -> None:
        nonlocal under_way, most
        async with allowance.use("one"):
            under_way += 1
            most = max(most, under_way)
            await go.wait()
            under_way -= 1

    pieces = [asyncio.create_task(piece()) for _ in range(5)]
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE), allowance.use("other"):
        go.set()
    await asyncio.gather(*pieces)
    assert most == 2


@given(takes=st.lists(st.floats(0.01, 3), min_size=1, max_size=30), saved=st.floats(0.5, 4))
def test_in_any_time_no_more_than_saved_and_the_fraction(takes: list[float], saved: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        hand = Hand(patch)
        allowance, began = hand.allowance(saved=saved, fraction=0.25), hand.now

        async def use_it_up() -> None:
            used = 0.0
            for seconds in takes:
                # What has begun goes on to its end: one piece may be beyond it.
                await spend(allowance, "one", hand, seconds)
                used += seconds
                assert used <= saved + 0.25 * (hand.now - began) + seconds + 1e-6

        asyncio.run(use_it_up())


async def test_an_account_that_is_full_again_is_forgotten(hand: Hand) -> None:
    allowance = hand.allowance()
    for user in range(1000):
        await spend(allowance, str(user), hand, 0.001)
        hand.now += 1
    assert len(allowance._accounts) <= 2
