"""What a database keeps of rows that are deleted, and how it is removed after a purge.

SQLite overwrites with zeros what is deleted (``secure_delete``, ``hermes_site.settings``). Three places are left:

- the log beside the file (``-wal``), which holds pages as they were: it is emptied;
- the full-text index, which notes a deletion and lets go of the keys (one to three letters each, in no order) when it
  merges its parts: they are merged, in small steps;
- the search index's texts, which follow their messages within seconds (``conversations.search.index``).

PostgreSQL gives no row to anybody after its deletion, and its autovacuum frees the room. That the bytes are in its
files until then, and in its own log, is its operator's to judge (docs/operations.md).
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection, connections

from sessions_app import database
from sessions_app.conversations.search import index
from sessions_app.database import plain

# Pages of 4 kB that one step of merging writes, at the most.
_PAGES_AT_ONCE = 100
_PAUSE_SECONDS = 0.05
_LOCK_SECONDS = 5.0
_MERGE = "INSERT INTO hermes_search_keys (hermes_search_keys, rank) VALUES ('merge', %s)"
_CHANGES = "SELECT total_changes()"


async def remove() -> None:
    """Remove what is left of deleted rows."""
    while await database.read(index.waiting):
        await database.write(index.catch_up)
        await asyncio.sleep(_PAUSE_SECONDS)
    if _file() is None:
        return
    # A negative number begins to merge all parts, the others go on with it.
    pages = -_PAGES_AT_ONCE
    while await database.write(_merge, pages):
        pages = _PAGES_AT_ONCE
        await asyncio.sleep(_PAUSE_SECONDS)
    await asyncio.to_thread(_empty_log)


def _file() -> Path | None:
    """Return the file of a SQLite database."""
    settings = connections["default"].settings_dict
    return Path(settings["NAME"]) if connections["default"].vendor == "sqlite" else None


def _merge(pages: int) -> bool:
    """Merge parts of the full-text index; False where there was nothing to do."""
    [(before,)] = plain.rows(_CHANGES, [])
    with connection.cursor() as cursor:
        cursor.execute(_MERGE, [pages])
    [(after,)] = plain.rows(_CHANGES, [])
    # So FTS5 says it: fewer than two changes.
    return bool(after - before >= 2)


def _empty_log() -> None:
    """Put the log's pages into the file, and cut it. Where others read for long, the next purge does so."""
    with closing(sqlite3.connect(str(_file()), timeout=_LOCK_SECONDS)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
