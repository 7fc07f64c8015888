"""Run database work in threads of our own: one hop, one transaction.

Channels would run all async ORM calls of all consumers in one shared thread, where the
slowest query delays everybody (492 ms measured instead of 0.7). Here are two small pools.
``write`` runs a function inside one transaction: on SQLite in a single thread, because the
database has one writer and waiting in our queue is cheaper than its busy timeout. ``read``
runs a function on one consistent snapshot, beside the writer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import ParamSpec, Protocol, TypeVar

from django.db import OperationalError, connection, connections, transaction

P = ParamSpec("P")
R = TypeVar("R")

# More threads than this only queue up at the database (two cores were measured).
_THREADS = 4

# PostgreSQL ends one of two transactions that wait for each other (a foreign program's raw SQL
# may lock in another order than we do). The loser wrote nothing and is run again.
_LOST_RACES = {"40001", "40P01"}
_ATTEMPTS = 4


def _is_sqlite() -> bool:
    return connections["default"].vendor == "sqlite"


@cache
def _pool(kind: str) -> ThreadPoolExecutor:
    size = 1 if kind == "write" and _is_sqlite() else _THREADS
    return ThreadPoolExecutor(size, thread_name_prefix=f"database-{kind}")


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


def _write(work: Callable[[], R]) -> R:
    try:
        for _ in range(_ATTEMPTS - 1):
            try:
                with transaction.atomic():
                    return work()
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in _LOST_RACES:
                    raise
        with transaction.atomic():
            return work()
    finally:
        _leave()


def _read(work: Callable[[], R]) -> R:
    try:
        with snapshot():
            return work()
    finally:
        _leave()


async def write(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run ``function`` in a database thread, in one transaction, and return its result.

    It may run again after a lost race, so it changes nothing but rows.
    """
    return await _hop("write", partial(_write, partial(function, *args, **kwargs)))


async def read(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run ``function`` in a database thread, on one snapshot, and return its result."""
    return await _hop("read", partial(_read, partial(function, *args, **kwargs)))


class Door(Protocol):
    """A way to the database: this module's, or one that first makes sure that the caller may still act."""

    async def read(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``function`` on one snapshot."""

    async def write(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``function`` in one transaction."""


async def _hop(kind: str, work: Callable[[], R]) -> R:
    return await asyncio.get_running_loop().run_in_executor(_pool(kind), work)


def close() -> None:
    """End the threads and close their connections (end of a process, or of a test run)."""
    for kind in ("write", "read"):
        pool = _pool(kind)
        size = pool._max_workers
        together = threading.Barrier(size)
        for closing in [pool.submit(_close_in_thread, together) for _ in range(size)]:
            closing.result()
        pool.shutdown()
    _pool.cache_clear()


def _close_in_thread(together: threading.Barrier) -> None:
    together.wait()  # so that every thread of the pool takes exactly one of these
    connection.close()
