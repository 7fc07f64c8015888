"""Work in threads: fair by user, in order within one, and withdrawn when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref
from collections import Counter
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


class Counted:
    """Work whose pieces are counted by user, while they are under way."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def __call__(self, user: str) -> None:
        with self.lock:
            self.now[user] += 1
            self.most[user] = max(self.most[user], self.now[user])
        os.sched_yield()
        with self.lock:
            self.now[user] -= 1


def test_one_users_work_that_stands_leaves_threads_to_others() -> None:
    threads = FairThreads(4, "test", at_once=2)
    works = [Standing() for _ in range(8)]
    standing = [threads.submit("many", each) for each in works]
    assert threads.submit("one", lambda: "done").result(PATIENCE) == "done"
    # The first two have begun, and none that came after them.
    assert all(each.begun.wait(PATIENCE) for each in works[:2])
    assert not any(each.begun.is_set() for each in works[2:])
    for each in works:
        each.released.set()
    for future in standing:
        future.result(PATIENCE)
    threads.close()


def test_what_is_of_no_user_may_have_all_threads() -> None:
    threads = FairThreads(4, "test", at_once=2)
    together = threading.Barrier(4)
    for future in [threads.submit(None, partial(together.wait, PATIENCE)) for _ in range(4)]:
        future.result(PATIENCE)
    threads.close()


def test_however_much_is_asked_and_withdrawn_no_user_has_more_and_all_is_done() -> None:
    threads, counted = FairThreads(4, "test", at_once=2), Counted()
    futures = [threads.submit(user, partial(counted, user)) for _ in range(200) for user in "abc"]
    for future in futures[::7]:
        future.cancel()
    for future in futures:
        if not future.cancelled():
            future.result(PATIENCE)
    assert set(counted.most) == set("abc")
    assert max(counted.most.values()) <= 2
    assert threads.waiting() == 0
    threads.close()


def test_closing_carries_out_what_its_user_had_no_thread_for() -> None:
    threads, first = FairThreads(2, "test", at_once=1), Standing()
    done: list[int] = []
    threads.submit("a", first)
    assert first.begun.wait(PATIENCE)
    for number in range(10):
        threads.submit("a", partial(done.append, number))
    threads.submit("b", first.released.set).result(PATIENCE)
    threads.close()
    assert done == list(range(10))
