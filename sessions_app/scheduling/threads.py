"""Threads that carry out the work of many users, fairly (``queue``).

A thread that gets free takes the next piece of work itself, so none is idle until the event loop gets round to it:
under load that would cost a round of the loop for each. Python's executor has the threads; which work they carry out
is decided here, when they begin it. Only threads sort what waits, and only they hold the lock: the loop would wait for
one that holds it and lacks the interpreter.

A piece of work may wait in its thread, for a lock of the database; and those of one user wait for each other: eight
turns that one user asks for at once, each of which is counted under that user's lock, would have all threads stand
still, and everybody's turns behind them. So one user has no more than ``at_once`` of the threads, and what is beyond
that waits in the queue while others' work is begun. What is of no user (None) is the process's own, and may have all.
"""

from __future__ import annotations

from collections import Counter
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
    """``size`` threads and what waits for them, of which one user has ``at_once``, else all.

    Lives until ``close``, and belongs to no event loop.
    """

    def __init__(self, size: int, name: str, *, at_once: int | None = None) -> None:
        self.size = size
        self.at_once = at_once or size
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._lock = Lock()
        self._waiting: FairQueue[_Piece[Any]] = FairQueue()
        # What came and what was cancelled, in this order, since a thread has last sorted them into the queue.
        self._came: SimpleQueue[_Piece[Any]] = SimpleQueue()
        self._under_way: Counter[Hashable] = Counter()
        # Threads that came for a piece whose user had enough of them: as many pieces are begun by those that get free.
        self._owed = 0

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
        piece = self._take()
        while piece is not None:
            piece.carry_out()
            user = piece.user
            del piece  # see there
            piece = self._next_after(user)

    def _take(self) -> _Piece[Any] | None:
        """Return the next piece, and count it as under way; None where it was cancelled, or is owed."""
        with self._lock:
            self._sort()
            if self._waiting.has_next:
                return self._begin()
            self._owed = min(self._owed + 1, len(self._waiting))
            return None

    def _begin(self) -> _Piece[Any]:
        piece = self._waiting.take()
        if piece.user is not None:
            self._under_way[piece.user] += 1
            if self._under_way[piece.user] == self.at_once:
                self._waiting.hold(piece.user)
        return piece

    def _next_after(self, user: Hashable) -> _Piece[Any] | None:
        """Count a user's piece as ended; return the one that this thread owes, if there is one."""
        with self._lock:
            self._sort()
            if user is not None:
                self._leave(user)
            if not (self._owed and self._waiting.has_next):
                return None
            self._owed -= 1
            return self._begin()

    def _leave(self, user: Hashable) -> None:
        if self._under_way[user] == self.at_once:
            self._waiting.release(user)
        self._under_way[user] -= 1
        if not self._under_way[user]:
            del self._under_way[user]

    def _sort(self) -> None:
        while not self._came.empty():
            piece = self._came.get()
            if piece.cancelled():
                self._waiting.discard(piece.user, piece)
            else:
                self._waiting.put(piece.user, piece)
