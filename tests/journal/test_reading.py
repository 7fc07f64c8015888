"""Facts are read in pages, with what they tell as it is now; what is no longer kept is told to be gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import connection
from django.utils import timezone

from sessions_app import database, journal
from sessions_app.journal import Fact, reading
from sessions_app.models import FactName, JournalEntry
from sessions_app.session_store import chats
from tests.journal.facts import ALL, a_fact, create, cursors, told, write
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host

WORDS = "Persimmon quince"


def write_many(user_id: int, count: int) -> None:
    write(*(a_fact(user_id) for _ in range(count)))


def make_old(user_id: int, *, up_to: int, days: float) -> None:
    """Have facts up to a cursor be that old."""
    moment = timezone.now() - timedelta(days=days)
    JournalEntry.objects.filter(owner_id=user_id, cursor__lte=up_to).update(created_at=moment)


def test_pages_follow_each_other_without_gaps(user: AbstractUser) -> None:
    write_many(user.pk, 7)
    seen: list[int] = []
    cursor, has_more = 0, True
    while has_more:
        page = journal.after(user.pk, cursor, 3)
        seen += [fact.cursor for fact in page.facts]
        assert not page.reset
        assert page.cursor == seen[-1]
        cursor, has_more = page.cursor, page.has_more
    assert seen == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(("count", "has_more"), [(2, False), (3, False), (4, True)])
def test_a_page_says_whether_there_is_more(user: AbstractUser, count: int, has_more: bool) -> None:
    write_many(user.pk, count)
    page = journal.after(user.pk, 0, 3)
    assert (len(page.facts), page.has_more) == (min(count, 3), has_more)


def test_nothing_is_after_the_newest(user: AbstractUser) -> None:
    assert journal.after(user.pk, 0, ALL) == journal.Page([], 0)
    write_many(user.pk, 2)
    assert journal.after(user.pk, 2, ALL) == journal.Page([], 2)


def test_a_cursor_beyond_the_newest_is_a_reset(user: AbstractUser) -> None:
    assert journal.after(user.pk, 1, ALL) == journal.Page([], 0, reset=True)
    write_many(user.pk, 2)
    assert journal.after(user.pk, 3, ALL) == journal.Page([], 2, reset=True)


def test_a_value_is_read_when_it_is_sent(user: AbstractUser) -> None:
    session_id = create(user.pk, "before")
    journal.recorded(chats.update, user.pk, session_id, {"title": "after"})
    assert [(name, value.title) for name, value in told(user.pk)] == [
        ("session.created", "after"),
        ("session.updated", "after"),
    ]


async def test_of_what_was_deleted_name_and_cursor_stay(
    host: Host, user: AbstractUser, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer([WORDS]))
    chat = await session(WORDS)
    await host.turn(chat, WORDS)
    before = await database.read(told, user.pk)
    assert all(value is not None for _, value in before)
    await host.runner.service.delete_session(user.pk, chat)
    after = await database.read(told, user.pk)
    assert after[: len(before)] == [(name, None) for name, _ in before]
    assert after[len(before) :] == [("session.deleted", str(chat))]
    assert await database.read(cursors, user.pk) == list(range(1, len(after) + 1))


async def test_the_journal_holds_no_word_of_what_was_said(
    host: Host, user: AbstractUser, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer([WORDS]))
    await host.turn(await session(WORDS), WORDS)

    def columns() -> list[Any]:
        return list(JournalEntry.objects.values())

    kept = await database.read(columns)
    assert len(kept) > 5
    assert not [word for word in WORDS.split() if word.lower() in str(kept).lower()]


async def test_what_a_process_announces_is_what_the_journal_tells(
    new_host: NewHost, user: AbstractUser, session: NewSession, provider: Provider
) -> None:
    """Two ways to the same frames: at once with the values of the commit, or read by somebody else."""
    here, there = await new_host(), await new_host()
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await here.listener.end_of(asked.run_id)
    await there.runner.supervisor.poll()
    await there.listener.end_of(asked.run_id)
    own, read = (
        {
            event["cursor"]: event["event"]
            for event in each.listener.events
            if event["event"].get("name") in ("turn.ended", "message.created")
        }
        for each in (here, there)
    )
    assert len(own) == 3
    assert {cursor: event["name"] for cursor, event in own.items()} == {
        cursor: event["name"] for cursor, event in read.items()
    }
    ended = max(own)
    assert own[ended] == read[ended]
    assert own[ended - 1] == read[ended - 1]


def test_another_users_rows_are_not_told(user: AbstractUser, django_user_model: Any) -> None:
    other = django_user_model.objects.create_user("other")
    session_id = create(other.pk, "theirs")
    write(a_fact(user.pk, session_id))
    assert told(user.pk) == [("session.updated", None)]


def test_more_facts_than_are_kept_are_removed(user: AbstractUser, settings: Any) -> None:
    settings.HERMES_JOURNAL_FACTS = 10
    write_many(user.pk, 499)
    assert cursors(user.pk) == list(range(1, 500))
    write_many(user.pk, 1)
    assert cursors(user.pk) == list(range(491, 501))
    assert journal.head(user.pk) == 500


@pytest.mark.parametrize(("cursor", "reset"), [(0, True), (489, True), (490, False), (500, False), (501, True)])
def test_what_is_no_longer_kept_is_a_reset(user: AbstractUser, settings: Any, cursor: int, reset: bool) -> None:
    settings.HERMES_JOURNAL_FACTS = 10
    write_many(user.pk, 500)
    page = journal.after(user.pk, cursor, ALL)
    assert (page.reset, page.cursor) == (reset, 500)
    assert [fact.cursor for fact in page.facts] == ([] if reset else list(range(cursor + 1, 501)))


def test_facts_are_removed_after_some_days(user: AbstractUser, settings: Any) -> None:
    settings.HERMES_JOURNAL_DAYS = 3
    write_many(user.pk, 6)
    make_old(user.pk, up_to=5, days=2.9)
    make_old(user.pk, up_to=4, days=3.1)
    assert journal.prune() == 4
    assert journal.prune() == 0
    assert cursors(user.pk) == [5, 6]
    assert journal.after(user.pk, 3, ALL).reset
    assert not journal.after(user.pk, 4, ALL).reset


def test_where_all_was_removed_only_the_newest_cursor_is_no_reset(user: AbstractUser) -> None:
    write_many(user.pk, 3)
    make_old(user.pk, up_to=3, days=100)
    journal.prune()
    assert journal.after(user.pk, 2, ALL) == journal.Page([], 3, reset=True)
    assert journal.after(user.pk, 3, ALL) == journal.Page([], 3)
    assert [fact.cursor for fact in write(a_fact(user.pk))] == [4]


def test_one_step_of_pruning_removes_the_oldest_first(user: AbstractUser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever order the rows lie in: between two steps a journal has no hole."""
    monkeypatch.setattr(reading, "STEP_FACTS", 4)
    write_many(user.pk, 9)
    # One after the other, the newest first: so they lie in the file, and by age all are the same.
    moment = timezone.now() - timedelta(days=100)
    for cursor in range(9, 0, -1):
        JournalEntry.objects.filter(owner_id=user.pk, cursor=cursor).update(created_at=moment)
    assert journal.prune() == 4
    assert cursors(user.pk) == [5, 6, 7, 8, 9]


def test_a_hole_in_the_journal_is_a_reset(user: AbstractUser) -> None:
    """Such as a clock leaves that was set back: what was written then is older than what came before it."""
    write_many(user.pk, 5)
    JournalEntry.objects.filter(owner_id=user.pk, cursor=3).delete()
    assert [fact.cursor for fact in journal.after(user.pk, 0, ALL).facts] == [1, 2]
    assert journal.after(user.pk, 2, ALL).reset
    assert [fact.cursor for fact in journal.after(user.pk, 3, ALL).facts] == [4, 5]


async def test_the_keeper_removes_all_that_is_too_old(
    host: Host, user: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STEP_FACTS", 2)
    await database.write(write_many, user.pk, 7)
    await database.write(lambda: make_old(user.pk, up_to=5, days=100))
    await host.runner.supervisor.prune()
    assert await database.read(cursors, user.pk) == [6, 7]


def test_reading_a_page_costs_as_many_queries_for_many_facts_as_for_few(user: AbstractUser) -> None:
    def queries() -> int:
        asked: list[str] = []

        def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            asked.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(listen):
            journal.after(user.pk, 0, ALL)
        return len(asked)

    create(user.pk)
    few = queries()
    for _ in range(10):
        create(user.pk)
    assert queries() == few


# What these tell is not read from a row that may be gone.
_OF_NO_ROW = {FactName.SESSION_DELETED, FactName.MEMORY_UPDATED}


def test_facts_of_unknown_rows_have_no_value(user: AbstractUser) -> None:
    def fact(name: FactName, subject: UUID | None) -> Fact:
        return Fact(user.pk, name, uuid4(), subject)

    gone = [fact(name, uuid4()) for name in FactName if name not in _OF_NO_ROW]
    write(*gone)
    assert told(user.pk) == [(each.name.value, None) for each in gone]
