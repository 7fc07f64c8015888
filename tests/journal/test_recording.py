"""Facts get consecutive cursors in the transaction that makes them true, whoever writes at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db import connection, transaction

from sessions_app import database, journal
from sessions_app.conversations import access
from sessions_app.journal import Fact, recording
from sessions_app.models import ChatSession, JournalEntry
from tests.journal.facts import a_fact, at_once, create, cursors, names, write
from tests.turns.host import within

WRITERS, EACH = 30, 5


class Undone(Exception):
    """What a transaction is rolled back with."""


@pytest.fixture
def other(user: AbstractUser) -> AbstractUser:
    return get_user_model().objects.create_user("other")


def test_facts_of_one_transaction_get_consecutive_cursors(user: AbstractUser) -> None:
    assert [fact.cursor for fact in write(*(a_fact(user.pk) for _ in range(3)))] == [1, 2, 3]
    assert [fact.cursor for fact in write(*(a_fact(user.pk) for _ in range(2)))] == [4, 5]
    assert cursors(user.pk) == [1, 2, 3, 4, 5]
    assert journal.head(user.pk) == 5


def test_each_user_has_cursors_of_their_own(user: AbstractUser, other: AbstractUser) -> None:
    write(a_fact(user.pk), a_fact(other.pk), a_fact(user.pk))
    assert (cursors(user.pk), cursors(other.pk)) == ([1, 2], [1])
    assert journal.heads([user.pk, other.pk, 0]) == {user.pk: 2, other.pk: 1}


def test_facts_of_one_user_keep_the_order_in_which_they_were_noted(user: AbstractUser, other: AbstractUser) -> None:
    noted = [a_fact((other if number % 3 else user).pk) for number in range(12)]
    write(*noted)
    for owner in (user, other):
        kept = JournalEntry.objects.filter(owner_id=owner.pk).order_by("cursor").values_list("session_id", flat=True)
        assert list(kept) == [fact.session_id for fact in noted if fact.owner_id == owner.pk]


def test_a_transaction_without_facts_touches_no_head(user: AbstractUser) -> None:
    assert write() == []
    assert journal.head(user.pk) == 0


def test_a_transaction_that_is_rolled_back_leaves_no_gap(user: AbstractUser) -> None:
    write(a_fact(user.pk))

    def write_and_fail() -> None:
        assert [fact.cursor for fact in write(a_fact(user.pk))] == [2]
        raise Undone

    with pytest.raises(Undone), transaction.atomic():
        write_and_fail()
    assert [fact.cursor for fact in write(a_fact(user.pk))] == [2]
    assert cursors(user.pk) == [1, 2]


def test_work_that_fails_leaves_no_fact_to_the_next(user: AbstractUser) -> None:
    def fail() -> None:
        journal.record(a_fact(user.pk))
        raise Undone

    with pytest.raises(Undone):
        journal.recorded(fail)
    assert journal.recorded(lambda: None).facts == []
    assert cursors(user.pk) == []


def test_a_fact_outside_of_recording_is_written_at_once(user: AbstractUser) -> None:
    with transaction.atomic():
        journal.record(a_fact(user.pk))
        assert cursors(user.pk) == [1]
    with recording() as facts:
        journal.record(a_fact(user.pk))
        assert cursors(user.pk) == [1]
    assert [fact.cursor for fact in facts] == cursors(user.pk)[1:] == [2]


def test_thirty_writers_at_once_leave_one_sequence_without_gaps(user: AbstractUser) -> None:
    def write_some() -> list[list[int]]:
        return [[fact.cursor for fact in write(a_fact(user.pk), a_fact(user.pk))] for _ in range(EACH)]

    given = at_once([write_some] * WRITERS)
    for own in given:
        assert own == sorted(own)
        assert all(second == first + 1 for first, second in own)
    count = 2 * WRITERS * EACH
    assert sorted(cursor for own in given for pair in own for cursor in pair) == list(range(1, count + 1))
    assert cursors(user.pk) == list(range(1, count + 1))


async def test_thirty_tasks_at_once_see_what_came_before_their_own(user: AbstractUser) -> None:
    """Whoever reads a cursor can read all the facts before it."""

    async def one() -> None:
        [fact] = await database.write(write, a_fact(user.pk))
        page = await database.read(journal.after, user.pk, 0, fact.cursor)
        assert [each.cursor for each in page.facts] == list(range(1, fact.cursor + 1))

    await within(asyncio.gather(*(one() for _ in range(WRITERS))))
    assert await database.read(cursors, user.pk) == list(range(1, WRITERS + 1))


@pytest.mark.parametrize("sessions_too", [False, True])
def test_transactions_of_several_users_in_opposite_order_do_not_deadlock(
    user: AbstractUser, other: AbstractUser, sessions_too: bool
) -> None:
    """With sessions: each locks its own first, so that the heads are all that the two can meet at."""
    first, second = create(user.pk), create(other.pk)

    def noting(owners: list[int], own: tuple[int, UUID]) -> Callable[[], Any]:
        def work() -> None:
            if sessions_too:
                access.chat_session(*own, lock=True)
            for owner in owners:
                journal.record(a_fact(owner))

        return partial(journal.recorded, work)

    ways = [
        noting([user.pk, other.pk], (user.pk, first)),
        noting([other.pk, user.pk], (other.pk, second)),
    ]
    for _ in range(20):
        at_once(ways)
    assert cursors(user.pk) == cursors(other.pk) == list(range(1, 42))


def test_heads_are_locked_in_order_of_users(user: AbstractUser, other: AbstractUser) -> None:
    """What keeps the above from a deadlock, whatever the threads' luck."""
    low, high = sorted([user.pk, other.pk])
    asked: list[int] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INTO sessions_app_journalhead" in sql:
            asked.append(params[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        write(a_fact(high), a_fact(low), a_fact(high))
    assert asked == [low, high]


def test_a_fact_is_seen_only_with_what_it_tells(user: AbstractUser) -> None:
    """Before the commit, nobody else sees either."""
    with transaction.atomic():
        session_id = create(user.pk)
        seen = at_once([lambda: (names(user.pk), ChatSession.objects.filter(pk=session_id).exists())])
    assert seen == [([], False)]
    assert names(user.pk) == ["session.created"]


def test_no_column_of_the_journal_holds_a_value(user: AbstractUser) -> None:
    write(Fact(user.pk, a_fact(user.pk).name, uuid4(), uuid4(), value="what was said"))
    [row] = JournalEntry.objects.values()
    assert set(row) == {"id", "owner_id", "cursor", "name", "session_id", "subject", "created_at"}
    assert "what was said" not in str(row)
