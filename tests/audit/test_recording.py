"""Rows of the audit come with the transaction of what they record, in one chain, or not at all."""

from contextlib import suppress

import pytest
from django.db import transaction

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.models import AuditEntry, AuditHead

pytestmark = pytest.mark.django_db(transaction=True)


def record(number: int) -> None:
    audit.record(Action.USER_CHANGED, Object(ObjectKind.USER, number), actor=audit.user(1), address="192.0.2.1")


def test_rows_are_numbered_and_chained_by_the_head() -> None:
    before = AuditHead.objects.get().count
    with transaction.atomic():
        record(1)
        with suppress(ZeroDivisionError), transaction.atomic():
            record(2)
            raise ZeroDivisionError
        record(3)
    record(4)
    rows = AuditEntry.objects.filter(number__gt=before).order_by("number")
    assert [(row.number - before, row.object_id) for row in rows] == [(1, "1"), (2, "3"), (3, "4")]
    head = AuditHead.objects.get()
    last = rows.last()
    assert last is not None
    assert (head.count, head.digest) == (last.number, last.digest)
