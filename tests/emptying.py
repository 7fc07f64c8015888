"""Empties the test database after a test that has committed.

Django's own way truncates every table and then makes all permissions and content types again: 0.2 s a test, three
times what a turn takes. Those never change, and deleting a few rows is faster than truncating.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

from sessions_app.database import triggers
from sessions_app.database.triggers import statements_of
from sessions_app.models import NO_DIGEST, AuditEntry

# What migrations have put there, and no test changes.
KEPT = {"auth_permission", "django_content_type"}
# What triggers write while rows of other tables are deleted, and the search index: last, for the order of tables is
# another in each run.
LAST = [
    "DELETE FROM sessions_app_storagecount",
    "DELETE FROM sessions_app_keptspending",
    "DELETE FROM hermes_search_change",
    "DELETE FROM hermes_search_entry",
]
SQL = Path(triggers.__file__).parent / "sql"
RESTARTED = f"INSERT INTO sessions_app_audithead (id, count, digest) VALUES (1, 0, '{NO_DIGEST}')"
# An FTS5 table without text has a word of its own for it. (PostgreSQL keeps the keys with the entries.)
NO_KEYS = "INSERT INTO hermes_search_keys (hermes_search_keys) VALUES ('delete-all')"


def empty(_: TransactionTestCase) -> None:
    """Delete all rows that tests may have made."""
    try:
        delete_all()
    except OperationalError:
        # A deadlock: with the last step of a runner that has ended, whose thread nobody waits for. It is over now.
        delete_all()


def delete_all() -> None:
    """Delete all rows in one transaction. Foreign keys are checked when it is done."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for statement in [*statements(), NO_KEYS]:
                cursor.execute(statement)
        else:
            cursor.execute("; ".join(statements()))  # one way to the server and back instead of forty


def statements() -> list[str]:
    """Return what deletes all rows that tests have made, the audit's among them, which else nothing deletes."""
    filled = filled_tables()
    deletions = [*(f"DELETE FROM {connection.ops.quote_name(table)}" for table in filled), *LAST]
    if AuditEntry._meta.db_table not in filled:
        return [*deletions, RESTARTED]
    off, on = guards()
    return [*off, *deletions, *on, RESTARTED]


def filled_tables() -> list[str]:
    """Return the tables that have rows which a test may have made: most tests fill a few of seventy."""
    names, question = tables()
    with connection.cursor() as cursor:
        cursor.execute(question)
        return [name for name, is_filled in zip(names, cursor.fetchone(), strict=True) if is_filled]


@cache
def tables() -> tuple[list[str], str]:
    """Return the tables whose rows tests make, and the statement that asks which of them have any."""
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    names = [name for name in found if name not in KEPT]
    exist = (f"EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})" for name in names)
    return names, f"SELECT {', '.join(exist)}"


def is_to_connect_again(_: TransactionTestCase) -> bool:
    """Tell whether the next test gets a new connection. PostgreSQL's come from a pool; a SQLite file is read again."""
    return connection.vendor != "sqlite" or connection.errors_occurred


def empty_audit() -> None:
    """Delete the audit, which refuses `flush` as soon as it has a row."""
    off, on = guards()
    gone = [f"DELETE FROM sessions_app_{table}" for table in ("auditentry", "audithead")]
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in [*off, *gone, *on, RESTARTED]:
            cursor.execute(statement)


def guards() -> tuple[list[str], list[str]]:
    """Return what takes the triggers off the audit that only grows, and what puts them back."""
    if connection.vendor == "sqlite":
        on = [statement for statement in statements_of(SQL / "sqlite.sql") if " hermes_audit" in statement]
        return [f"DROP TRIGGER {statement.split('CREATE TRIGGER ')[1].split()[0]}" for statement in on], on
    tables = ("sessions_app_auditentry", "sessions_app_audithead")
    both = ([f"ALTER TABLE {table} {how} TRIGGER USER" for table in tables] for how in ("DISABLE", "ENABLE"))
    off, on = both
    return off, on


@pytest.fixture(scope="session", autouse=True)
def empty_by_deleting() -> None:
    """Has all tests with a `transactional_db` end so."""
    TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]
    TransactionTestCase._should_reload_connections = is_to_connect_again  # type: ignore[attr-defined]
