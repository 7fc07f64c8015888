"""The tests' database as a foreign program uses it: raw SQL, on connections of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import psycopg
from django.db import connection

from tests.databases import Database
from tests.processes import PATIENCE


def foreign() -> Database:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return Database(f"sqlite:///{settings['NAME']}")
    return Database(f"postgres://{settings['USER']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}")


@asynccontextmanager
async def uncommitted(sql: str) -> AsyncIterator[None]:
    """A statement in a transaction that is committed at the block's end."""
    transaction = _uncommitted(sql)
    await asyncio.to_thread(transaction.__enter__)
    yield
    await asyncio.to_thread(transaction.__exit__, None, None, None)


@contextmanager
def _uncommitted(sql: str) -> Iterator[None]:
    database = foreign()
    if database.on_postgresql:
        with psycopg.connect(database.url) as program:
            program.execute(sql)
            yield
        return
    file = database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=PATIENCE)) as program:
        program.execute("BEGIN IMMEDIATE")
        program.execute(sql)
        yield
        program.execute("COMMIT")
