"""Rows of the audit come with the transaction of what they record, in one chain, or not at all."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, InternalError, connection, transaction
from pytest_django import Settings

from sessions_app import audit
from sessions_app.audit import Action, verifying
from sessions_app.models import NO_DIGEST, AuditEntry, AuditHead
from tests.audit.rows import record, run, told
from tests.emptying import delete_all
from tests.journal.facts import at_once
from tests.processes import Process
from tests.turns.foreign import foreign

pytestmark = pytest.mark.django_db(transaction=True)

APPENDS = 30


def test_rows_are_numbered_chained_and_gone_with_what_is_rolled_back() -> None:
    with transaction.atomic():
        record(1)
        with suppress(ZeroDivisionError), transaction.atomic():
            record(2)
            raise ZeroDivisionError
        record(3, fields={"is_staff", "email"}, staff=True)
        assert not AuditEntry.objects.exists()
    with suppress(ZeroDivisionError), transaction.atomic():
        record(4)
        raise ZeroDivisionError
    record(5)
    changed = Action.USER_CHANGED
    assert told() == [
        (changed, "1", {}),
        (changed, "3", {"fields": ["email", "is_staff"], "staff": True}),
        (changed, "5", {}),
    ]
    assert list(AuditEntry.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
    assert verifying.verify().problems == []


@contextmanager
def headless() -> Iterator[None]:
    """Within, the audit has no head."""
    AuditHead.objects.all().delete()
    yield
    AuditHead.objects.create(id=1, count=0, digest=NO_DIGEST)


def test_without_a_row_nothing_is_done() -> None:
    with headless(), pytest.raises(audit.NoAuditHead), transaction.atomic():
        User.objects.create_user("nobody")
    assert not User.objects.exists()
    assert not connection.in_atomic_block
    User.objects.create_user("somebody")
    assert [action for action, _, _ in told()] == ["user.created"]


def test_details_take_no_text() -> None:
    for details in ({"tool": "what I said"}, {"secret": 1}, {"fields": ["a b"]}, {"format": "ü"}, {"count": 1.5}):
        with pytest.raises(audit.UnsafeDetail) as refused:
            record(1, **details)
        assert "what I said" not in str(refused.value)
    assert not AuditEntry.objects.exists()
    assert audit.name_of("what I said") == "what_I_said"


def test_the_database_refuses_all_but_new_rows() -> None:
    record(1)
    entry, head = AuditEntry._meta.db_table, AuditHead._meta.db_table
    columns = ", ".join(str(field.column) for field in AuditEntry._meta.fields)
    statements = [
        f"UPDATE {entry} SET action = 'login.made'",
        f"DELETE FROM {entry}",
        f"DELETE FROM {head}",
        f"UPDATE {head} SET count = 0",
        f"UPDATE {head} SET digest = 'x'",
    ]
    if connection.vendor == "sqlite":
        statements += [
            f"INSERT OR REPLACE INTO {entry} ({columns}) SELECT {columns} FROM {entry}",
            f"INSERT OR REPLACE INTO {head} SELECT id, 0, digest, logged_at FROM {head}",
            f"UPDATE OR REPLACE {entry} SET number = 2",
        ]
    else:
        statements += [f"TRUNCATE {entry}", f"TRUNCATE {entry}, {head} CASCADE"]
    for statement in statements:
        with pytest.raises((IntegrityError, InternalError)):
            run(statement)
    assert told() == [("user.changed", "1", {})]
    assert verifying.verify().problems == []
    with pytest.raises(TypeError):
        AuditEntry(number=2).save()


def test_rows_go_to_the_log_after_the_commit(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.HERMES_AUDIT_LOG = True
    with caplog.at_level(logging.INFO, "hermes.audit"):
        with transaction.atomic():
            record(7)
            assert caplog.messages == []
        with suppress(ZeroDivisionError), transaction.atomic():
            record(8)
            raise ZeroDivisionError
    [line] = caplog.messages
    assert line.startswith('{"number": 1, "recorded_at": "20')
    assert '"object_id": "7"' in line


def test_a_dump_brings_the_rows_as_they_were(tmp_path: Path) -> None:
    record(1)
    record(2, fields=["email"])
    before, dump = list(AuditEntry.objects.values()), tmp_path / "dump.json"
    call_command("dumpdata", "sessions_app.auditentry", "sessions_app.audithead", output=str(dump), verbosity=0)
    record(3)
    call_command("loaddata", str(dump), verbosity=0)  # over what is there already
    assert AuditEntry.objects.count() == 3
    delete_all()
    call_command("loaddata", str(dump), verbosity=0)
    assert list(AuditEntry.objects.values()) == before
    record(4)
    assert verifying.verify().problems == []


def append(user_id: int, *, records_first: bool) -> None:
    """Change a user's row and record it, so many times: record before the row is locked, or after."""
    for number in range(APPENDS):
        with transaction.atomic():
            if records_first:
                record(number)
            user = User.objects.select_for_update().get(pk=user_id)
            User.objects.filter(pk=user_id).update(first_name=int(user.first_name or 0) + 1)
            if not records_first:
                record(number)


def test_two_that_lock_in_any_order_append_to_one_chain() -> None:
    """One records before it locks a user's row, the other after: with a lock in `record` they would deadlock."""
    user = User.objects.create_user("u")
    before = AuditHead.objects.get().count
    at_once([partial(append, user.pk, records_first=first) for first in (True, False)])
    verified = verifying.verify()
    assert verified.problems == []
    assert verified.head.count == before + 2 * APPENDS
    user.refresh_from_db()
    assert user.first_name == str(2 * APPENDS)


@pytest.mark.thorough_on_postgresql
def test_a_killed_process_leaves_neither_deed_nor_row() -> None:
    user = User.objects.create_user("u", first_name="0")
    before = AuditHead.objects.get()
    env = {"DJANGO_SETTINGS_MODULE": "hermes_site.settings", "DATABASE_URL": foreign().url, "SECRET_KEY": "tests-only"}
    process = Process([sys.executable, "-m", "tests.audit.appending", str(user.pk)], env={**os.environ, **env})
    process.line("appended")
    process.kill()
    record(1)
    user.refresh_from_db()
    assert user.first_name == "0"
    assert AuditHead.objects.get().count == before.count + 1
    assert verifying.verify().problems == []
