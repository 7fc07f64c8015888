"""Run database work in threads of our own: one hop, one transaction.

Channels would run all async ORM calls of all consumers in one shared thread, where the
slowest query delays everybody (492 ms measured instead of 0.7). Here are two small pools.
``write`` runs a function inside one transaction: on SQLite in a single thread, because the
database has one writer and waiting in our queue is cheaper than its busy timeout. ``read``
runs a function on one consistent snapshot, beside the writer.

Work waits for a thread fairly (``scheduling``): ``of(user)`` says whose it is. A user's own work begins in the order in
which it was asked for, in half of the threads at most: it may wait there for a lock that the user's other work holds.
What is of no user (the search index, the poll) takes its turn as one user more, and may have all.

What runs again on PostgreSQL: work of which it is certain that nothing was committed, and whose failure is not its own
fault. (SQLite is a file: it has no connection to lose, and one writer.)

1. Before COMMIT a lost connection is enough, however it was lost: the server rolls back what has no COMMIT. Whether it
   is lost is the driver's to say; the server's words for it are many, and a broken network has none. It is asked once
   more just before COMMIT: the words that end a session may have come with the answer to the last statement, while this
   process slept, and been read with it as a mere notice.
2. In answer to COMMIT the server must *say* an SQLSTATE, and one that it can only say in place of committing:

   - 40001, 40P01: conflicts are checked, and deferred triggers run, before the commit record is written.
   - 25P03, 25P04, 57P01: the session was ended (asleep for too long; an administrator, a restart). It is ended between
     two statements or inside one. From the commit record to the confirmation PostgreSQL holds such interrupts back.
     If one came in that time, the confirmation goes out first, and psycopg, which then has two answers, raises an error
     without an SQLSTATE.

3. All else leaves open what came of it, so it does not run again:

   - no word. It is also what PostgreSQL gives where it may not confirm although it has committed: a session that is
     ended while it waits for a synchronous standby gets 57P01 as a *warning*, then silence (its syncrep.c).
   - 57P02, and 57P01 of an immediate shutdown: also warnings, sent from a signal handler at any moment.
   - class 08: the driver, or a proxy between, knows of the connection and not of the commit. 57P03 is said to those who
     connect; at COMMIT only a proxy can say it.
   - 53xxx, 58xxx, XXxxx: the server may have failed while it wrote the commit record, and find it after its restart.
   - 57014, 23xxx and the like are certain, but the order or the fault of someone: again would be no better.

Tried on PostgreSQL 15, but for 25P04, which came with 17 (tests/turns/test_lost_connections.py, and by hand what needs
a server of its own: the standby, the crash).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, ParamSpec, Protocol, TypeVar

from django.db import Error, connection, connections, transaction

from sessions_app.scheduling.threads import FairThreads

P = ParamSpec("P")
R = TypeVar("R")

# More threads than this only queue up at the database (two cores were measured).
_THREADS = 4

# PostgreSQL ends one of two transactions that wait for each other (a foreign program's raw SQL
# may lock in another order than we do). The loser wrote nothing.
_LOST_RACES = {"40001", "40P01"}
# The session ended, and no COMMIT was carried out in it.
_ENDED_BEFORE_COMMIT = {"25P03", "25P04", "57P01"}
_ATTEMPTS = 4
_SINGLE = ("heart", "supervisor", "recovery")


def _is_sqlite() -> bool:
    return connections["default"].vendor == "sqlite"


@cache
def _threads(kind: str) -> FairThreads:
    size = 1 if kind in _SINGLE or (kind == "write" and _is_sqlite()) else _THREADS
    return FairThreads(size, f"database-{kind}", at_once=max(1, size // 2))


@contextmanager
def snapshot() -> Iterator[None]:
    """Make all reads within see one state of the database; nothing may be written."""
    if connection.vendor == "sqlite":
        # Django would begin IMMEDIATE, which takes the writer's lock.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def _leave() -> None:
    """Give a pooled connection back; keep SQLite's, unless it broke."""
    if connection.vendor == "sqlite":
        connection.close_if_unusable_or_obsolete()
    else:
        connection.close()


def forget_lost_connections() -> None:
    """Empty the pool of them: after a restart of PostgreSQL all are lost, and pages would take them one by one."""
    pool = getattr(connection, "pool", None)
    if pool is not None:
        pool.check()


class _Attempt:
    """One run of a transaction; knows whether another one may follow."""

    def __init__(self) -> None:
        # The driver's connection: Django puts another in its place as soon as it breaks.
        self._raw: Any = None
        self._committing = False

    def write(self, work: Callable[[], R]) -> R:
        with transaction.atomic():
            self._raw = connection.connection
            result = work()
            self._notice_a_loss()
            self._committing = True
        return result

    def read(self, work: Callable[[], R]) -> R:
        with snapshot():
            self._raw = connection.connection
            return work()

    def _notice_a_loss(self) -> None:
        """Raise if the connection is known to be gone: it costs no round trip, and after COMMIT it would be no news."""
        if not _is_sqlite():
            with connection.wrap_database_errors:
                self._raw.pgconn.consume_input()

    def connection_was_lost(self, error: Error) -> bool:
        if _is_sqlite():
            return False
        # A pool that gives no connection in its time has waited long enough already.
        return (self._raw is None or self._raw.closed) and type(error.__cause__).__name__ != "PoolTimeout"

    def may_be_repeated(self, error: Error) -> bool:
        """Tell whether it is certain that nothing was committed, and another run may do better."""
        state = getattr(error.__cause__, "sqlstate", None)
        if state in _LOST_RACES:
            return True
        return self.connection_was_lost(error) and (not self._committing or state in _ENDED_BEFORE_COMMIT)


def _run(kind: str, work: Callable[[], R]) -> R:
    attempts = 0
    while True:
        attempt, attempts = _Attempt(), attempts + 1
        try:
            return attempt.write(work) if kind == "write" else attempt.read(work)
        except Error as error:
            if attempts == _ATTEMPTS or not attempt.may_be_repeated(error):
                raise
            _leave()
            if attempt.connection_was_lost(error):
                forget_lost_connections()
        finally:
            _leave()


class Lane:
    """The way of some work to the database: the threads that it reads and writes in, by their kind, and its user."""

    def __init__(self, reads: str, writes: str, user: Hashable = None) -> None:
        self._reads, self._writes, self._user = reads, writes, user

    async def read(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``function`` in a database thread, on one snapshot, and return its result."""
        return await _hop(self._reads, self._user, partial(_run, "read", partial(function, *args, **kwargs)))

    async def write(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``function`` in a database thread, in one transaction, and return its result.

        It may run again after a lost race or a lost connection, so it changes nothing but rows.
        """
        return await _hop(self._writes, self._user, partial(_run, "write", partial(function, *args, **kwargs)))


# The heart and the supervisor's looks have a thread each: one locked row may hold all the writers for seconds,
# and the heartbeats of the other turns must go on. What a look writes after a crash are thousands of
# transactions: on SQLite they wait their turn with those of the users, who would else have to poll for the lock.
HEART, SUPERVISOR = Lane("heart", "heart"), Lane("supervisor", "recovery")
_NOBODY = Lane("read", "write")
read, write = _NOBODY.read, _NOBODY.write


def of(user: Hashable) -> Lane:
    """Return the way of one user's work. Who is no user yet goes by the address that they come from."""
    return Lane("read", "write", user)


class Door(Protocol):
    """A way to the database: this module's, or one that first makes sure that the caller may still act."""

    async def read(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``function`` on one snapshot."""

    async def write(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``function`` in one transaction."""


async def _hop(kind: str, user: Hashable, work: Callable[[], R]) -> R:
    if kind == "recovery" and _is_sqlite():
        kind = "write"
    return await asyncio.wrap_future(_threads(kind).submit(user, work))


def close() -> None:
    """End the threads and close their connections (end of a process, or of a test run)."""
    for kind in ("write", "read", *_SINGLE):
        threads = _threads(kind)
        together = threading.Barrier(threads.size)
        for closing in [threads.submit(None, partial(_close_in_thread, together)) for _ in range(threads.size)]:
            closing.result()
        threads.close()
    _threads.cache_clear()


def _close_in_thread(together: threading.Barrier) -> None:
    together.wait()  # so that every thread of the pool takes exactly one of these
    connection.close()
