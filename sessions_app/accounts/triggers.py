"""Install, drop and check what the database does by itself when a user changes (``sql/``).

As in ``sessions_app.database.triggers``: SQLite's migrations rebuild tables and drop their triggers without a word, so
all is dropped before any migration and created after it. Names that came before the triggers get their shapes then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from sessions_app.database.triggers import present, statements_of
from sessions_app.database.users import of_users

_SQL = Path(__file__).parent / "sql"
_CREATED = re.compile(r"CREATE (TRIGGER|VIEW) (hermes_\w+)")
_TABLES = {
    *("django_session", "accounts_nameshape", "accounts_login"),
    *("sessions_app_apitoken", "sessions_app_provisioneduser"),
}
_NAMES_SHOWN = 20

_WITHOUT_SHAPE = """
SELECT account.id, account.username FROM {users} AS account
WHERE NOT EXISTS (SELECT 1 FROM accounts_nameshape WHERE owner_id = account.id) ORDER BY account.id
"""
_IS_FREE = """
SELECT NOT EXISTS (SELECT 1 FROM hermes_name_shapes JOIN accounts_nameshape USING (shape)
                   WHERE hermes_name_shapes.owner_id = %s)
"""
_ADD_SHAPES = """
INSERT INTO accounts_nameshape (owner_id, shape)
SELECT DISTINCT owner_id, shape FROM hermes_name_shapes WHERE owner_id = %s
"""


def drop(using: str, plan: Any = None, **_: Any) -> None:
    """Drop all before a migration that has something to do (``pre_migrate``)."""
    if not plan:
        return
    connection = connections[using]
    there = present(connection)
    with connection.cursor() as cursor:
        for kind, name, _statement in reversed(list(_created(connection.vendor))):
            if name in there:
                on = of_users(" ON {users}") if kind == "TRIGGER" and connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP {kind} {name}{on}")


def create(using: str, **_: Any) -> None:
    """Create what is missing, and give names without a shape one that is free, the oldest first (``post_migrate``)."""
    connection = connections[using]
    if not _is_migrated(connection):
        return
    there = present(connection)
    with transaction.atomic(using), connection.cursor() as cursor:
        for statement in _statements(connection.vendor):
            found = _CREATED.search(statement)
            if found is None or found.group(2) not in there:
                cursor.execute(statement)
        cursor.execute(of_users(_WITHOUT_SHAPE))
        for user_id, _name in cursor.fetchall():
            cursor.execute(_IS_FREE, [user_id])
            if cursor.fetchone()[0]:
                cursor.execute(_ADD_SHAPES, [user_id])


def check(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Report what a migrated database lacks, and the users whose names look like others' (tag ``database``)."""
    found: list[CheckMessage] = []
    for using in databases or []:
        connection = connections[using]
        if not _is_migrated(connection):
            continue
        missing = {name for _, name, _ in _created(connection.vendor)} - present(connection)
        if missing:
            text = f"The database lacks triggers or views that the accounts need: {sorted(missing)}."
            found.append(
                checks.Error(text, hint="Run manage.py migrate --skip-checks: it creates them.", id="accounts.E001")
            )
        with connection.cursor() as cursor:
            cursor.execute(of_users(_WITHOUT_SHAPE))
            names = [name for _, name in cursor.fetchall()]
        if names:
            found.append(_alike(names))
    return found


def _alike(names: list[str]) -> CheckMessage:
    rest = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return checks.Warning(
        f"These names look like those of older users: {', '.join(map(repr, names[:_NAMES_SHOWN]))}{rest}.",
        hint="Their users log in as before. Give them other names in the admin, or delete them.",
        id="accounts.W001",
    )


def _statements(vendor: str) -> tuple[str, ...]:
    return statements_of(_SQL / f"{vendor}.sql")


def _created(vendor: str) -> Iterator[tuple[str, str, str]]:
    """Return kind, name and statement of each view and trigger."""
    for statement in _statements(vendor):
        if found := _CREATED.search(statement):
            yield found.group(1), found.group(2), statement


def _is_migrated(connection: BaseDatabaseWrapper) -> bool:
    return set(connection.introspection.table_names()) >= {of_users("{users}"), *_TABLES}
