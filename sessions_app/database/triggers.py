"""Install, drop and check the triggers: stamps, changes for the search index, what is stored and spent, the audit.

Migrations of SQLite rebuild tables and drop their triggers without a word, so the triggers
are dropped before any migration and created after it, from one SQL file per database; what a
migration changed in between is counted anew. A system check tells when one is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from sessions_app.database.users import of_users

_SQL = Path(__file__).parent / "sql"
_NAME = re.compile(r"CREATE TRIGGER (\w+)\s.*?\bON (\w+)", re.DOTALL)
# The last table made of those that triggers write: without it no trigger could run.
_NEWEST_TABLE = "sessions_app_audithead"

_REPAIR = [
    """
UPDATE sessions_app_sessionstamp SET revision = revision + 1, told_revision = revision + 1,
  message_count = (SELECT count(*) FROM sessions_app_message
                   WHERE chat_session_id = sessions_app_sessionstamp.chat_session_id),
  characters = (SELECT coalesce(sum(length(text) + coalesce(length(parts), 0)), 0) FROM sessions_app_message
                WHERE chat_session_id = sessions_app_sessionstamp.chat_session_id),
  owner_id = (SELECT owner_id FROM sessions_app_chatsession WHERE id = sessions_app_sessionstamp.chat_session_id)
""",
    """
INSERT INTO hermes_search_change (message_id, owner_id)
SELECT id, owner_id FROM sessions_app_message UNION SELECT message_id, owner_id FROM hermes_search_entry
""",
]

# The audit begins with an empty chain. Where its head is gone and rows are there, somebody has been at it: it stays so.
_AUDIT_HEAD = f"""
INSERT INTO sessions_app_audithead (id, count, digest) SELECT 1, 0, '{"0" * 64}'
WHERE NOT EXISTS (SELECT 1 FROM sessions_app_audithead) AND NOT EXISTS (SELECT 1 FROM sessions_app_auditentry)
"""  # nosec B608

_COUNT_STORAGE = """
INSERT INTO sessions_app_storagecount (owner_id, sessions, characters, file_bytes)
SELECT owner_id, sum(sessions), sum(characters), sum(file_bytes) FROM (
  SELECT owner_id, 1 AS sessions, characters, 0 AS file_bytes FROM sessions_app_sessionstamp
  UNION ALL SELECT owner_id, 0, length(text), 0 FROM sessions_app_turn WHERE status IN ('queued', 'withdrawn')
  UNION ALL SELECT owner_id, 0, 0, stored_size FROM sessions_app_filecontent WHERE state <> 'removed'
) AS stored GROUP BY owner_id
"""
_REPAIR_STORAGE = {
    "sqlite": ["DELETE FROM sessions_app_storagecount", _COUNT_STORAGE],
    # One statement, so that what others commit meanwhile is either deleted and counted, or neither.
    "postgresql": [f"WITH old AS (DELETE FROM sessions_app_storagecount) {_COUNT_STORAGE}"],  # nosec B608
}


@cache
def statements_of(file: Path) -> tuple[str, ...]:
    """Return the statements of a file, comments included; a line of eight hyphens stands between two."""
    text = of_users(file.read_text())
    return tuple(part.strip() for part in re.split(r"^-{8}$", text, flags=re.MULTILINE))


def present(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of this project's triggers and views that the database has."""
    catalogue = (
        "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view') AND name LIKE 'hermes!_%%' ESCAPE '!'"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND tgname LIKE 'hermes!_%%' ESCAPE '!'"
        " AND relnamespace = current_schema()::regnamespace"
        " UNION SELECT viewname FROM pg_views"
        " WHERE schemaname = current_schema() AND viewname LIKE 'hermes!_%%' ESCAPE '!'"
    )
    with connection.cursor() as cursor:
        cursor.execute(catalogue, [])
        return {name for (name,) in cursor.fetchall()}


def _statements(vendor: str) -> tuple[str, ...]:
    return statements_of(_SQL / f"{vendor}.sql")


def _triggers(vendor: str) -> dict[str, str]:
    """Return the table of every trigger, by the trigger's name."""
    return {found.group(1): found.group(2) for found in map(_NAME.search, _statements(vendor)) if found is not None}


def drop(using: str, plan: Any = None, **_: Any) -> None:
    """Drop the triggers before a migration that has something to do (``pre_migrate``)."""
    if not plan:
        return
    connection = connections[using]
    there = present(connection)
    with connection.cursor() as cursor:
        for name, table in _triggers(connection.vendor).items():
            if name in there:
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER {name}{on}")


def create(using: str, plan: Any = None, **_: Any) -> None:
    """Create what is missing (``post_migrate``).

    What was written without may have replaced any text. So every session has changed, and is read again once; and
    every message's entry in the search index is compared with it again, in the background. What users store is counted.
    """
    connection = connections[using]
    if _NEWEST_TABLE not in connection.introspection.table_names():
        return  # migrated back, for an older release
    there = present(connection)
    missing = _triggers(connection.vendor).keys() - there
    with connection.cursor() as cursor:
        for statement in _statements(connection.vendor) if missing else ():
            found = _NAME.search(statement)
            if found is None or found.group(1) not in there:
                cursor.execute(statement)
        # No plan: `flush`. SQLite's deletes table by table, in any order, and the triggers count on meanwhile.
        recounted = _REPAIR_STORAGE[connection.vendor] if missing or plan is None else []
        for statement in (*(_REPAIR if missing else []), *recounted, _AUDIT_HEAD):
            cursor.execute(statement)


def check(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Report the triggers that a migrated database lacks (system check, tag ``database``)."""
    errors: list[CheckMessage] = []
    for using in databases or []:
        connection = connections[using]
        if _NEWEST_TABLE not in connection.introspection.table_names():
            continue
        missing = _triggers(connection.vendor).keys() - present(connection)
        if missing:
            errors.append(
                Error(
                    f"The database lacks triggers: {sorted(missing)}.",
                    hint="Run manage.py migrate --skip-checks: it creates them.",
                    id="sessions_app.E001",
                )
            )
    return errors
