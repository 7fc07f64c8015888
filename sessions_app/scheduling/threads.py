"""Threads that carry out the work of many users, fairly (``queue``).

A thread that gets free takes the next piece of work itself, so none is idle until the event loop gets round to it:
under load that would cost a round of the loop for each. Python's executor has the threads; which work they carry out
is decided here, when they begin it. Only threads sort what waits, and only they hold the lock: the loop would wait for
one that holds it and lacks the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from threading import Lock
from typing import Any, TypeVar

from sessions_app.scheduling.queue import FairQueue

R = TypeVar("R")
_Change = Callable[[Hashable, Future[Any]], None]


class FairThreads:
    """``size`` threads and what waits for them. Lives until ``close``, and belongs to no event loop."""

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._lock = Lock()
        self._waiting: FairQueue[Future[Any]] = FairQueue()
        # What is to be done with the former, in this order, before the next is taken.
        self._changes: SimpleQueue[tuple[_Change, Hashable, Future[Any]]] = SimpleQueue()
        self._work: dict[Future[Any], Callable[[], Any]] = {}

    @property
    def waiting(self) -> int:
        """How many pieces of work no thread has begun."""
        return len(self._work)

    def submit(self, user: Hashable, work: Callable[[], R]) -> Future[R]:
        """Have work carried out in a thread, when it is the user's turn; what the work raises, the future raises.

        The work of a future that is cancelled is forgotten; once it has begun it goes on to its end.
        """
        future: Future[R] = Future()
        self._work[future] = work
        self._changes.put((self._waiting.put, user, future))
        future.add_done_callback(partial(self._withdraw, user))
        # As often as there is work, so there is a thread to come for each piece.
        self._threads.submit(self._carry_out_next)
        return future

    def close(self) -> None:
        """Carry out what waits, and end the threads."""
        self._threads.shutdown()

    def _withdraw(self, user: Hashable, future: Future[Any]) -> None:
        if future.cancelled():
            self._changes.put((self._waiting.discard, user, future))
            self._work.pop(future, None)

    def _carry_out_next(self) -> None:
        while (future := self._take()) is not None:
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = self._work.pop(future)()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del future  # else an exception, by its traceback, holds what holds it
            return

    def _take(self) -> Future[Any] | None:
        with self._lock:
            while not self._changes.empty():
                change, user, future = self._changes.get()
                change(user, future)
            return self._waiting.take() if self._waiting else None
