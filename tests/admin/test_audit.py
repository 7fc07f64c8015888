"""The audit in admin: looked through by its indexes, taken along, never changed; who was deleted has no name in it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.models import AuditEntry
from tests.admin.conftest import Enter, list_of, page_of, text_of
from tests.admin.test_speed import asked_by, plan_of

pytestmark = pytest.mark.django_db(transaction=True)

EXPORT = reverse("admin:sessions_app_auditentry_export")
SESSION = "5b2d6c1e-0000-4000-8000-000000000001"
ROWS = 3_000


@pytest.fixture
def rows(transactional_db: None) -> User:
    """What somebody has done, from two addresses."""
    anna = User.objects.create_user("anna")
    for address in ("192.0.2.1", "2001:db8::1"):
        audit.record(Action.LOGGED_IN, Object(ObjectKind.USER, anna.pk), actor=audit.user(anna.pk), address=address)
    audit.record(
        Action.SESSION_DELETED, Object(ObjectKind.SESSION), actor=audit.user(anna.pk), address="192.0.2.1", user=anna.pk
    )
    return anna


def found(boss: Client, query: str) -> list[str]:
    return [row.action for row in boss.get(list_of(AuditEntry, query)).context["cl"].result_list]


def test_each_word_of_a_search_narrows(boss: Client, rows: User) -> None:
    made, day = ["login.made"], AuditEntry.objects.earliest("number").recorded_at.date()
    deleted, both = ["session.deleted"], ["session.deleted", "login.made", "login.made"]
    for query, expected in {
        "anna": both,
        "anna login.made 192.0.2.1": made,
        "2001:DB8:0::1": made,
        "nobody": [],
        "session.deleted": deleted,
        f"anna {day}": both,
        "anna 2020-01-01": [],
        str(rows.pk): ["login.made", "login.made", "user.created"],
        SESSION: [],
    }.items():
        assert found(boss, f"?q={query}") == expected, query
    assert found(boss, f"?actor_id={rows.pk}&address=192.0.2.1&action=login.made") == made
    assert found(boss, f"?object=user:{rows.pk}")[:2] == made * 2
    assert found(boss, "?object=session:1") == []


def test_a_name_goes_with_its_account(boss: Client, rows: User) -> None:
    row = AuditEntry.objects.get(action="session.deleted")
    for address in (list_of(AuditEntry, "?action=session.deleted"), page_of(row)):
        assert "anna" in text_of(boss, address)
    key = rows.pk
    rows.delete()
    for address in (list_of(AuditEntry, "?action=session.deleted"), page_of(row)):
        text = text_of(boss, address)
        assert f"user {key} (deleted)" in text
        assert "anna" not in text


def test_the_right_to_view_is_enough_and_needed(enter: Enter, rows: User) -> None:
    reader, other = enter("view_auditentry"), enter("view_user", "view_chatsession")
    row = AuditEntry.objects.earliest("number")
    assert reader.get(list_of(AuditEntry)).status_code == 200
    assert [other.get(list_of(AuditEntry)).status_code, other.post(EXPORT).status_code] == [403, 403]
    for page in ("change", "delete"):
        assert reader.post(page_of(row, page), {"post": "yes", "action": "x"}).status_code == 403
    assert reader.get(EXPORT).status_code == 405


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def test_the_export_has_what_the_list_is_narrowed_to(boss: Client, rows: User) -> None:
    answer: Any = boss.post(f"{EXPORT}?action=login.made&q=anna")
    assert answer.headers["Content-Type"] == "application/jsonl"
    lines = asyncio.run(whole(answer.streaming_content)).decode().splitlines()
    told = [json.loads(line) for line in lines]
    assert [(line["action"], line["address"]) for line in told] == [
        ("login.made", "192.0.2.1"),
        ("login.made", "2001:db8::1"),
    ]
    assert AuditEntry.objects.get(action="audit.exported").actor_id != rows.pk


@pytest.mark.thorough_on_postgresql
@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.usefixtures("unnoted_templates")
def test_each_question_has_its_index(boss: Client) -> None:
    entries = [
        AuditEntry(number=number, recorded_at=f"2026-01-01T00:{number % 60:02}Z", actor_id=number, details="{}")
        for number in range(1_000, 1_000 + ROWS)
    ]
    for entry in entries:
        entry.action = entry.object_id = entry.address = str(entry.number)
    AuditEntry.objects.bulk_create(entries)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sessions_app_auditentry")
    user = User.objects.get()
    indexes = {
        "": "",
        "?p=2": "",
        f"?actor_id={user.pk}": "audit_by_actor",
        f"?q={user.username}": "audit_by_actor",
        "?object=user:77": "audit_by_object",
        "?q=77": "audit_by_object",
        "?address=192.0.2.9": "audit_by_address",
        "?action=login.failed": "audit_by_action",
        "?q=2020-01-01": "audit_by_time",
    }
    for query, index in indexes.items():
        asked = [each for each in asked_by(boss, list_of(AuditEntry, query)) if 'FROM "sessions_app_audit' in each[0]]
        assert asked
        for plan in (plan_of(*each) for each in asked):
            assert index in plan, (query, plan)
            assert not re.search(r"Seq Scan on sessions_app_auditentry|SCAN sessions_app_auditentry(?! USING)", plan)
