"""Write rows of the audit: noted while a transaction works, chained and stored as the last thing before it commits.

Why the last. All rows hang on one chain, so whoever adds to it holds the head's lock until its commit, and everybody
else's row waits. ``record`` may be called anywhere in a transaction, by signals too, and locks nothing. What it noted
is written by the connection's ``commit``, after all that the transaction does, and after the checks that PostgreSQL
defers to its end (foreign keys lock the rows they lead to): these are done first. So the head is the last lock of every
transaction: who holds it waits for no other, and no two wait for each other. It is held for four statements and the
commit. (SQLite's transactions begin IMMEDIATE: there is one writer.)

What is noted is kept among the callbacks that Django runs after a commit. So it goes with a savepoint that is rolled
back, and with the transaction; and after the commit it is written to the log where HERMES_AUDIT_LOG says so.

What cannot be written fails the commit, and so what was to be recorded. A process that dies leaves both or neither.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from typing import Any, Unpack

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from sessions_app.audit import actors
from sessions_app.audit.actions import Action, Object
from sessions_app.audit.actors import Actor
from sessions_app.audit.chain import Row, digest_of
from sessions_app.audit.details import Details, canonical
from sessions_app.database import plain

logger = logging.getLogger("hermes.audit")

_LOCK = "SELECT count, digest FROM sessions_app_audithead WHERE id = 1"
_NOW = {
    "postgresql": "SELECT date_trunc('milliseconds', clock_timestamp())",  # a dump has no more digits
    "sqlite": "SELECT strftime('%%Y-%%m-%%dT%%H:%%M:%%f', 'now')",
}
_INSERT = """
INSERT INTO sessions_app_auditentry (number, recorded_at, action, actor_kind, actor_id, actor_name, token_id,
  object_kind, object_id, address, details, digest) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_ADVANCE = "UPDATE sessions_app_audithead SET count = %s, digest = %s WHERE id = 1"


class NoAuditHead(Exception):
    """The audit's head is gone, so nothing can be added, and nothing that is recorded can be done."""


@dataclass(slots=True)
class _Noted:
    """What is to be written at the commit. Called after it, it tells the log."""

    action: Action
    object: Object
    actor: Actor
    address: str
    details: str
    told: str = ""

    def __call__(self) -> None:
        if settings.HERMES_AUDIT_LOG:
            logger.info("%s", self.told)


def record(
    action: Action, obj: Object, *, actor: Actor | None = None, address: str | None = None, **details: Unpack[Details]
) -> None:
    """Record that something is done, in the transaction under way; without one, in one of its own.

    ``actor`` and ``address`` are those of the door (``actors.acting``) where they are not given. Raises UnsafeDetail;
    the transaction's commit raises what the database says, and NoAuditHead.
    """
    origin = actors.current()
    where = origin.address if address is None else address
    noted = _Noted(action, obj, actor or origin.actor, _checked(where), canonical(details))
    connection = connections[DEFAULT_DB_ALIAS]
    with transaction.atomic(savepoint=False):
        _write_at_commit(connection)
        connection.on_commit(noted)


def _checked(address: str) -> str:
    """Return an address as it is written; empty for what is none: over a Unix socket nobody has one."""
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


def _write_at_commit(connection: BaseDatabaseWrapper) -> None:
    """Have the connection write what is noted whenever it commits. It stays so, and costs others nothing."""
    if not isinstance(connection.commit, partial):
        setattr(connection, "commit", partial(_commit, connection, connection.commit))  # noqa: B010 (a method)


def _commit(connection: BaseDatabaseWrapper, commit: Callable[[], None]) -> None:
    if noted := [entry[1] for entry in connection.run_on_commit if isinstance(entry[1], _Noted)]:
        try:
            _append(connection, noted)
        except BaseException:
            connection.rollback()
            raise
    commit()


def _append(connection: BaseDatabaseWrapper, noted: Sequence[_Noted]) -> None:
    """Give out numbers, chain the rows and store them. No ORM: it would begin a transaction inside the commit."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    head = plain.rows(_LOCK + (" FOR UPDATE" if connection.vendor == "postgresql" else ""), [])
    if not head:
        raise NoAuditHead
    [(count, digest)] = head
    [(now,)] = plain.rows(_NOW[connection.vendor], [])  # after the lock: times stand in the order of numbers
    rows = [_row(number, _aware(now), one) for number, one in enumerate(noted, count + 1)]
    params: list[list[Any]] = []
    for row, one in zip(rows, noted, strict=True):
        digest = digest_of(digest, row)
        stored = connection.ops.adapt_datetimefield_value(row.recorded_at)
        params.append([row.number, stored, *_columns(row)[2:], digest])
        one.told = line_of(row, digest)
    plain.each(_INSERT, params)
    plain.rows(_ADVANCE + " RETURNING count", [rows[-1].number, digest])


def _row(number: int, now: datetime, noted: _Noted) -> Row:
    actor, obj = noted.actor, noted.object
    object_id = "" if obj.id is None else str(obj.id)
    return Row(
        number,
        now,
        str(noted.action),
        str(actor.kind),
        actor.user_id,
        actor.name,
        actor.token_id,
        str(obj.kind),
        object_id,
        noted.address,
        noted.details,
    )


def _columns(row: Row) -> list[Any]:
    return [getattr(row, name) for name in Row.__slots__]


def _aware(now: datetime | str) -> datetime:
    """Return the database's time; SQLite says it as a text, in UTC."""
    return datetime.fromisoformat(now).replace(tzinfo=UTC) if isinstance(now, str) else now


def line_of(row: Row, digest: str) -> str:
    """Return a row as a line of JSON, as exports and the log have it."""
    told = dict(zip(Row.__slots__, _columns(row), strict=True))
    told["recorded_at"] = row.recorded_at.astimezone(UTC).isoformat(timespec="microseconds")
    told["details"] = json.loads(row.details)
    return json.dumps({**told, "digest": digest}, ensure_ascii=True)
