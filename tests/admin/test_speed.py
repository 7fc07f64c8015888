"""What admin asks the database: as many queries for 300 rows as for three, and indexes for every one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.conversations.spending import spent_on
from sessions_app.models import AgentProfile, ChatSession, Turn
from tests.admin.conftest import (
    converse,
    converse_in,
    list_of,
    make_session,
    make_sessions,
    make_turn,
    page_of,
    text_of,
)
from tests.thorough import thorough, thorough_on_postgresql

pytestmark = pytest.mark.usefixtures("unnoted_templates")

AcceptedTurn = list[tuple[str, Any]]
TABLES = ("chatsession", "message", "turn", "branch", "sessionstamp")
LEDGER = reverse("admin:sessions_app_turn_ledger")
# A condition on the time in the index itself.
BY_RECENCY = {
    "postgresql": r"turn_by_recency[^\n]*\n\s*Index Cond: \(+created_at >=",
    "sqlite": r"USING INDEX turn_by_recency \(created_at>\?",
}
# As ANALYZE counted 200,000 turns of 5,000 sessions: rows, and how many of them share the index's first columns.
LARGE = {
    "turn_by_recency": "200000 1",
    "turn_by_owner": "200000 200000 1",
    "sessions_app_turn_chat_session_id_%": "200000 40",
    "sqlite_autoindex_sessions_app_turn_1": "200000 1",
    "session_by_recency": "5000 3 1",
    "session_by_activity": "5000 5000 5000 3 1",
    "sessions_app_chatsession_profile_id_%": "5000 1667",
    "sessions_app_chatsession_owner_id_%": "5000 5000",
    "sessions_app_chatsession_active_branch_id_%": "5000 1",
    "sqlite_autoindex_sessions_app_chatsession_1": "5000 1",
}
PAGES = ("?", "?p=2", "?q={chat_session}")


@contextmanager
def listening() -> Iterator[AcceptedTurn]:
    """Collects what is asked: SQL and parameters."""
    asked: AcceptedTurn = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        yield asked


def asked_by(client: Client, address: str) -> AcceptedTurn:
    """What a page asks, once sign-in and content types are no longer news."""
    text_of(client, address)
    with listening() as asked:
        text_of(client, address)
    return asked


def plan_of(sql: str, params: Any) -> str:
    """How the database would carry a query out if its tables were too large to read whole."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}", params)
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def faults(plan: str) -> list[str]:
    """Where a plan reads one of the large tables whole; on SQLite, whose plans follow no estimates, or sorts it."""
    table = rf"sessions_app_(?:{'|'.join(TABLES)})"
    whole = {
        "postgresql": rf"Seq Scan on {table}.*",
        "sqlite": rf"^SCAN {table}(?! USING).*|^USE TEMP B-TREE FOR ORDER BY.*",
    }
    return re.findall(whole[connection.vendor], plan, re.MULTILINE)


def take_statistics() -> None:
    """Let the planner know its tables; on SQLite, whose plans follow them blindly, as if they were large."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "sqlite":
            for index, rows in LARGE.items():
                cursor.execute("UPDATE sqlite_stat1 SET stat = %s WHERE idx LIKE %s", [rows, index])
            cursor.execute("ANALYZE sqlite_schema")


@pytest.fixture
def filled(alice: User) -> ChatSession:
    """Sixty sessions, one of them of some length."""
    short = make_sessions(alice, [f"number {number}" for number in range(59)])
    [long] = make_sessions(alice, ["the long one"])
    converse_in(short, 2)
    converse(long, 60)
    return long


@pytest.mark.thorough
def test_a_session_of_300_messages_asks_as_much_as_one_of_three(boss: Client, alice: User) -> None:
    short, long = make_session(alice), make_session(alice)
    converse(short, 3)
    converse(long, 300)
    for before, most in (("", 19), ("?before=250", 20)):
        few = asked_by(boss, page_of(short) + "?before=3" * bool(before))
        with listening() as many:
            text_of(boss, page_of(long) + before)
        assert len(many) == len(few)
        assert len(many) <= most


def test_the_lists_ask_as_much_for_fifty_rows_as_for_three(boss: Client, alice: User) -> None:
    converse_in(make_sessions(alice, [""] * 3), 2)
    few = [len(asked_by(boss, list_of(model))) for model in (ChatSession, Turn)]
    converse_in(make_sessions(alice, [""] * 60), 10)
    many = [len(asked_by(boss, list_of(model))) for model in (ChatSession, Turn)]
    assert many == few
    assert max(many) <= 8


def test_usage_is_asked_for_the_sessions_of_the_page_alone(boss: Client, filled: ChatSession) -> None:
    sums = [params for sql, params in asked_by(boss, list_of(ChatSession)) if "SUM(" in sql]
    assert [len(params) for params in sums] == [50]


def test_no_list_counts_a_table_whole(boss: Client, filled: ChatSession) -> None:
    for model in (ChatSession, Turn):
        [count] = [sql for sql, _ in asked_by(boss, list_of(model)) if "COUNT(" in sql]
        assert re.search(r"LIMIT 551\)", count)


@pytest.mark.both_databases
@pytest.mark.parametrize("model", [ChatSession, thorough_on_postgresql(Turn)])
def test_every_query_of_a_list_has_an_index(boss: Client, filled: ChatSession, model: type) -> None:
    for query in PAGES:
        for sql, params in asked_by(boss, list_of(model, query.format(chat_session=filled.pk))):
            assert faults(plan_of(sql, params)) == [], sql


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
def test_of_one_user_nothing_more_is_read_than_their_own(boss: Client, filled: ChatSession) -> None:
    for model in (ChatSession, Turn):
        for sql, params in asked_by(boss, list_of(model, f"?owner={filled.owner_id}")):
            assert [fault for fault in faults(plan_of(sql, params)) if "sessions_app" in fault] == [], sql


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
def test_every_query_of_a_sessions_page_has_an_index(boss: Client, filled: ChatSession) -> None:
    page = page_of(filled)
    for address in (page, f"{page}?before=30", list_of(Turn, f"?chat_session={filled.pk}")):
        for sql, params in asked_by(boss, address):
            assert not sql.startswith("SELECT") or faults(plan_of(sql, params)) == [], sql


@pytest.mark.both_databases
def test_a_query_without_an_index_would_be_noticed(filled: ChatSession) -> None:
    for rows in (ChatSession.objects.filter(title="number 7"), Turn.objects.order_by("output_tokens")):
        assert faults(plan_of(*rows.query.sql_with_params()))


@pytest.mark.thorough
def test_the_ledger_asks_as_much_for_ninety_days_as_for_one(boss: Client, alice: User) -> None:
    chat_session = make_session(alice)
    few = len(asked_by(boss, LEDGER))
    make_turn(chat_session, prefix_digest="d")
    one = len(asked_by(boss, LEDGER))
    for days in range(0, 90, 3):
        profile = AgentProfile.objects.create(name=f"number {days}")
        created_at = timezone.now() - timedelta(days=days)
        make_turn(make_session(alice, profile=profile), prefix_digest="d", created_at=created_at)
    # For the names of profiles, and for the sums by users, of turns that are there and of those that are not.
    assert len(asked_by(boss, LEDGER + "?days=90")) == one == few + 3
    assert one <= 9


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
@pytest.mark.parametrize("narrowed", ["", thorough("&profile={profile}")])
def test_the_ledger_reads_no_turn_that_is_older_than_its_period(
    boss: Client, filled: ChatSession, narrowed: str
) -> None:
    Turn.objects.update(created_at=timezone.now() - timedelta(days=100), prefix_digest="d")
    make_turn(filled, prefix_digest="d")
    take_statistics()
    address = f"{LEDGER}?days=30{narrowed}".format(profile=filled.profile_id)
    summed = [row for row in asked_by(boss, address) if "SUM(" in row[0] and 'FROM "sessions_app_turn"' in row[0]]
    assert len(summed) == 2  # by days, profiles and causes; by users
    with listening() as asked:
        spent_on(timezone.localdate())
    for plan in [plan_of(*row) for row in (*summed, *asked)]:
        # The sums of a day are few, and sorted.
        assert set(faults(plan)) <= {"USE TEMP B-TREE FOR ORDER BY"}
        assert re.search(BY_RECENCY[connection.vendor], plan), plan


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
def test_a_profiles_deletion_page_counts_its_sessions_by_an_index(boss: Client, filled: ChatSession) -> None:
    for sql, params in asked_by(boss, page_of(AgentProfile.default(), "delete")):
        assert faults(plan_of(sql, params)) == [], sql
