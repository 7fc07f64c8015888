"""Work in threads: fair by user, in order within one, and withdrawn when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from functools import partial

import pytest

from sessions_app.scheduling.threads import FairThreads
from tests.processes import PATIENCE


@pytest.fixture
def thread() -> Iterator[FairThreads]:
    """One thread."""
    threads = FairThreads(1, "test")
    yield threads
    threads.close()


class Standing:
    """Work that holds its thread until it is let go."""

    def __init__(self) -> None:
        self.begun, self.released = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.released.wait(PATIENCE)


@pytest.fixture
def standing(thread: FairThreads) -> Iterator[Standing]:
    """Holds the thread; the test lets it go."""
    standing = Standing()
    thread.submit("stands", standing)
    assert standing.begun.wait(PATIENCE)
    yield standing
    standing.released.set()


def test_one_item_of_a_user_waits_for_one_of_a_thousand(thread: FairThreads, standing: Standing) -> None:
    done: list[str] = []
    futures = [thread.submit("many", partial(done.append, f"many {number}")) for number in range(1_000)]
    futures.append(thread.submit("one", partial(done.append, "one")))
    standing.released.set()
    for future in futures:
        future.result(PATIENCE)
    assert done[:3] == ["many 0", "one", "many 1"]
    assert done[2:] == [f"many {number}" for number in range(1, 1_000)]


async def test_what_is_cancelled_is_never_begun_and_forgotten_at_once(thread: FairThreads, standing: Standing) -> None:
    done: list[str] = []
    waiting = [asyncio.wrap_future(thread.submit("a", partial(done.append, str(number)))) for number in range(5)]
    for each in waiting[:4]:
        each.cancel()
    await asyncio.wait(waiting[:4])
    assert thread.waiting() == 1
    standing.released.set()
    await waiting[4]
    assert done == ["4"]


async def test_what_was_cancelled_costs_its_user_no_turn(thread: FairThreads, standing: Standing) -> None:
    done: list[str] = []
    gone = [thread.submit("a", partial(done.append, "gone")) for _ in range(100)]
    others = [thread.submit("b", partial(done.append, "b")) for _ in range(100)]
    last = thread.submit("a", partial(done.append, "a"))
    for each in gone:
        each.cancel()
    standing.released.set()
    for each in (*others, last):
        await asyncio.wrap_future(each)
    assert done.index("a") <= 1
    assert len(done) == 101


async def test_work_that_has_begun_goes_on_when_it_is_cancelled(thread: FairThreads, standing: Standing) -> None:
    second = Standing()
    future = asyncio.wrap_future(thread.submit("a", second))
    standing.released.set()
    assert await asyncio.to_thread(second.begun.wait, PATIENCE)
    future.cancel()
    second.released.set()
    assert await asyncio.wrap_future(thread.submit("a", lambda: "the next")) == "the next"


def test_what_the_work_raises_comes_back_and_leaves_nothing(thread: FairThreads) -> None:
    class Fault(Exception):
        pass

    class Held:
        pass

    def fail(held: Held) -> None:
        raise Fault

    held = Held()
    gone = weakref.ref(held)
    gc.disable()
    try:
        with pytest.raises(Fault):
            thread.submit("a", partial(fail, held)).result(PATIENCE)
        thread.submit("a", lambda: None).result(PATIENCE)
        del held
        assert gone() is None  # without the help of the collector
    finally:
        gc.enable()
