"""What another program sees and does in the database of the sites."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.databases import Database
from tests.processes import PATIENCE

Row = tuple[Any, ...]

WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_SAID = "SELECT role, text, status FROM sessions_app_message WHERE chat_session_id = %s ORDER BY position"


def until(database: Database, count: int, sql: str, *params: Any) -> list[Row]:
    """The rows of a query, once there are so many."""
    deadline = time.monotonic() + PATIENCE
    while len(rows := database.run(sql, *params)) != count:
        assert time.monotonic() < deadline, rows
        time.sleep(0.01)
    return rows


def let_owners_be_silent(database: Database) -> None:
    """Make all heartbeats a day old. The owners that are awake beat again, the others have been silent for a lease."""
    database.run("UPDATE sessions_app_turn SET heartbeat_at = heartbeat_at - interval '1 day' WHERE status = 'running'")


def said(database: Database, session_id: str) -> list[Row]:
    """Role, text and status of a session's messages, in order; it has one branch."""
    return database.run(_SAID, session_id)


@contextmanager
def locked(database: Database, sql: str, *params: Any) -> Iterator[None]:
    """Hold the locks that a statement takes; let go at the block's end."""
    with psycopg.connect(database.url) as holder:
        holder.execute(sql, params)
        yield
