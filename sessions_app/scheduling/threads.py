"""Threads that carry out the work of many users, fairly (``queue``).

A thread that gets free takes the next piece of work itself, so none is idle until the event loop gets round to it:
under load that would cost a round of the loop for each. Python's executor has the threads; which work they carry out
is decided here, when they begin it. Only threads sort what waits, and only they hold the lock: the loop would wait for
one that holds it and lacks the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Lock
from typing import Any, TypeVar

from sessions_app import log_context
from sessions_app.scheduling.queue import FairQueue

R = TypeVar("R")


class _Piece(Future[R]):
    """A piece of work of a user, and the future of its result. ``cancelling`` gets one that was cancelled."""

    def __init__(self, user: Hashable, work: Callable[[], R], cancelling: Callable[[_Piece[R]], None]) -> None:
        super().__init__()
        self.user = user
        self.work: Callable[[], R] | None = work
        self._context = log_context.current()
        self._cancelling = cancelling

    def cancel(self) -> bool:
        cancelled = super().cancel()
        if cancelled:
            self.work = None
            self._cancelling(self)
        return cancelled

    def carry_out(self) -> None:
        work, self.work = self.work, None
        if work is None or not self.set_running_or_notify_cancel():
            return
        log_context.take(self._context)
        try:
            result = work()
        except BaseException as error:
            self.set_exception(error)
            del self  # else the exception, by its traceback, holds what holds it
        else:
            self.set_result(result)


class FairThreads:
    """``size`` threads and what waits for them. Lives until ``close``, and belongs to no event loop."""

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._lock = Lock()
        self._waiting: FairQueue[_Piece[Any]] = FairQueue()
        # What came and what was cancelled, in this order, since a thread has last sorted them into the queue.
        self._came: SimpleQueue[_Piece[Any]] = SimpleQueue()

    def submit(self, user: Hashable, work: Callable[[], R]) -> Future[R]:
        """Have work carried out in a thread, when it is the user's turn; what the work raises, the future raises.

        The work of a future that is cancelled is dropped; once it has begun it goes on to its end.
        """
        piece = _Piece(user, work, self._came.put)
        self._came.put(piece)
        # As often as there is work, so there is a thread to come for each piece.
        self._threads.submit(self._carry_out_next)
        return piece

    def waiting(self) -> int:
        """Return how many pieces of work no thread has begun."""
        with self._lock:
            self._sort()
            return len(self._waiting)

    def close(self) -> None:
        """Carry out what waits, and end the threads."""
        self._threads.shutdown()

    def _carry_out_next(self) -> None:
        with self._lock:
            self._sort()
            if not self._waiting:
                return  # it was cancelled
            piece = self._waiting.take()
        piece.carry_out()
        del piece  # see there

    def _sort(self) -> None:
        while not self._came.empty():
            piece = self._came.get()
            if piece.cancelled():
                self._waiting.discard(piece.user, piece)
            else:
                self._waiting.put(piece.user, piece)
