"""What tests of the audit read, and what an attacker does who owns the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.models import AuditEntry
from tests.emptying import guards


def record(number: int, **details: Any) -> None:
    """Record that user 1 has changed a user of this number."""
    audit.record(
        Action.USER_CHANGED, Object(ObjectKind.USER, number), actor=audit.user(1), address="192.0.2.1", **details
    )


def told(**which: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Action, object's id and details of the rows, oldest first."""
    rows = AuditEntry.objects.filter(**which).order_by("number")
    return [(row.action, row.object_id, json.loads(row.details)) for row in rows]


@contextmanager
def unguarded() -> Iterator[None]:
    """Within, the triggers are gone; afterwards all is as it was before."""
    off, _ = guards()
    with transaction.atomic():
        for statement in off:
            run(statement)
        yield
        transaction.set_rollback(True)


def run(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
