"""`manage.py audit`: whatever somebody does to the rows, who owns the database, is found; and what it prints."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.audit import telling, verifying
from sessions_app.audit.chain import Row, digest_of
from sessions_app.audit.verifying import Head
from sessions_app.models import NO_DIGEST, AuditEntry, AuditHead
from tests.audit.rows import record, run, unguarded
from tests.examples import fewer_on_postgresql

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 6
COLUMNS = [str(field.column) for field in AuditEntry._meta.fields if not field.primary_key]
ENTRY, HEAD = "sessions_app_auditentry", "sessions_app_audithead"
OTHER: dict[str, Any] = {
    "recorded_at": "2020-01-01 00:00:00",
    **dict.fromkeys(("action", "actor_kind", "actor_name", "object_kind", "object_id", "address", "details"), "x"),
    "digest": "f" * 64,
    "actor_id": 99,
    "token_id": 99,
}
NUMBERS = st.integers(1, ROWS)
TAMPERED = st.one_of(
    st.tuples(st.just("change"), NUMBERS, st.sampled_from(sorted(OTHER))),
    st.tuples(st.just("remove"), NUMBERS, st.none()),
    st.tuples(st.just("cut"), NUMBERS, st.none()),
    st.tuples(st.just("move"), NUMBERS, st.sampled_from([0, ROWS + 1, ROWS + 9])),
    st.tuples(st.just("insert"), NUMBERS, st.sampled_from([0, ROWS + 1, ROWS + 9])),
    st.tuples(st.just("swap"), NUMBERS, NUMBERS),
    st.tuples(st.just("head"), NUMBERS, st.none()),
)


@pytest.fixture
def heads() -> list[Head]:
    """The heads after each of some rows."""
    found = []
    for number in range(ROWS):
        record(number, fields=["email"])
        head = AuditHead.objects.get()
        found.append(Head(head.count, head.digest))
    return found


def tamper(kind: str, number: int, what: Any) -> None:
    where = f"WHERE number = {number}"
    columns = ", ".join(COLUMNS)
    match kind:
        case "change":
            run(f"UPDATE {ENTRY} SET {what} = %s {where}", OTHER[what])
        case "remove":
            run(f"DELETE FROM {ENTRY} {where}")
        case "cut":
            run(f"DELETE FROM {ENTRY} WHERE number >= {number}")
        case "move":
            run(f"UPDATE {ENTRY} SET number = {what} {where}")
        case "insert":
            run(f"INSERT INTO {ENTRY} (number, {columns}) SELECT {what}, {columns} FROM {ENTRY} {where}")
        case "swap":
            run(f"UPDATE {ENTRY} SET number = 1000 {where}")
            run(f"UPDATE {ENTRY} SET number = {number} WHERE number = {what}")
            run(f"UPDATE {ENTRY} SET number = {what} WHERE number = 1000")
        case "head":
            run(f"UPDATE {HEAD} SET count = {number - 1}")


@settings(max_examples=fewer_on_postgresql(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=TAMPERED)
def test_whatever_is_done_to_the_rows_is_found(heads: list[Head], done: tuple[str, int, Any]) -> None:
    kind, number, what = done
    with unguarded():
        tamper(kind, number, what)
        changes_nothing = kind == "swap" and number == what
        assert bool(verifying.verify().problems) is not changes_nothing
    assert verifying.verify(heads).problems == []


def forge(count: int) -> None:
    """Make a whole new chain and head, as who owns the database can."""
    digest = NO_DIGEST
    for number in range(1, count + 1):
        run(f"UPDATE {ENTRY} SET object_id = 'forged' WHERE number = {number}")
        row = AuditEntry.objects.filter(number=number).values_list(*Row.__slots__).get()
        digest = digest_of(digest, Row(*row))
        run(f"UPDATE {ENTRY} SET digest = '{digest}' WHERE number = {number}")
    run(f"DELETE FROM {ENTRY} WHERE number > {count}")
    run(f"UPDATE {HEAD} SET count = {count}, digest = '{digest}'")


def test_a_forged_chain_is_found_by_a_head_of_the_log(heads: list[Head]) -> None:
    for count in (ROWS, ROWS - 2):
        with unguarded():
            forge(count)
            assert verifying.verify().problems == []
            assert verifying.verify(heads[-1:]).problems


def command(*arguments: str) -> str:
    printed = io.StringIO()
    call_command("audit", *arguments, stdout=printed, stderr=io.StringIO())
    return printed.getvalue()


def test_the_command_checks_prints_and_exports(heads: list[Head], monkeypatch: pytest.MonkeyPatch) -> None:
    last = f"{ROWS}:{heads[-1].digest}"
    assert command("head") == f"{last}\n"
    assert command("verify", "--head", last) == f"{ROWS} rows, as they were written. {last}\n"
    with pytest.raises(CommandError, match="has changed the audit"):
        command("verify", "--head", f"{ROWS}:{NO_DIGEST}")
    with pytest.raises(CommandError, match="COUNT:DIGEST"):
        command("verify", "--head", "6")
    monkeypatch.setattr(telling, "_ROWS_AT_ONCE", 2)
    lines = [json.loads(line) for line in command("export", "--after", "1").splitlines()]
    assert [line["number"] for line in lines] == [*range(2, ROWS + 2)]
    del lines[0]["recorded_at"]
    actor = {"actor_kind": "user", "actor_id": 1, "actor_name": "", "token_id": None}
    about = {"action": "user.changed", "object_kind": "user", "object_id": "1", "address": "192.0.2.1"}
    assert lines[0] == {"number": 2, **actor, **about, "details": {"fields": ["email"]}, "digest": heads[1].digest}
    assert (lines[-1]["action"], lines[-1]["actor_kind"]) == ("audit.exported", "program")


def test_the_head_goes_to_the_log_once_an_hour(heads: list[Head]) -> None:
    assert telling.take_due_head() is None
    for time in ("2020-01-01 00:00:00+00:00", "2200-01-01 00:00:00+00:00"):
        AuditHead.objects.update(logged_at=time)
        assert telling.is_head_due()
        assert telling.take_due_head() == heads[-1]
        assert not telling.is_head_due()
        assert telling.take_due_head() is None
