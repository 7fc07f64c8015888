"""What leaves the audit: its rows as JSON lines, and its head, which goes to the log once an hour."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from sessions_app import database
from sessions_app.audit.chain import Row
from sessions_app.audit.recording import line_of
from sessions_app.audit.verifying import Head
from sessions_app.models import AuditEntry, AuditHead

logger = logging.getLogger("hermes.audit")

HEAD_EVERY = timedelta(hours=1)
_ROWS_AT_ONCE = 1_000
_COLUMNS = tuple(field.name for field in fields(Row))


def lines(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    """Return rows as lines of JSON, oldest first, a thousand read at a time."""
    last = 0
    while page := _page(rows, last):
        last = page[-1][0]
        yield from (line_of(Row(*values), digest) for *values, digest in page)


async def streamed_lines(rows: QuerySet[AuditEntry]) -> AsyncIterator[bytes]:
    """Return the same as bytes, a thousand lines each, read in the database's own threads."""
    last = 0
    while page := await database.read(_page, rows, last):
        last = page[-1][0]
        yield "".join(f"{line_of(Row(*values), digest)}\n" for *values, digest in page).encode()


def _page(rows: QuerySet[AuditEntry], after: int) -> list[tuple]:
    found = rows.filter(number__gt=after).order_by("number")
    return list(found.values_list(*_COLUMNS, "digest")[:_ROWS_AT_ONCE])


def is_head_due() -> bool:
    """Tell whether the head was not written to the log for an hour. A time that is still to come is none."""
    return _due().exists()


def take_due_head() -> Head | None:
    """Return the head if it is to be written to the log; of all processes one gets it."""
    if not _due().update(logged_at=Now()):
        return None
    head = AuditHead.objects.get()
    return Head(head.count, head.digest)


def log_head(head: Head) -> None:
    """Write the head to the log, where nobody who can write to the database can change it."""
    logger.info("audit head %s:%s", head.count, head.digest)


def _due() -> QuerySet[AuditHead]:
    return AuditHead.objects.filter(Q(logged_at__lte=Now() - HEAD_EVERY) | Q(logged_at__gt=Now()))
