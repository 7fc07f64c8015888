"""What only SQLite can do to a row, and programs that know nothing of Django."""

import sqlite3

import pytest
from django.db import DatabaseError, connection, transaction

from sessions_app.models import Branch, Message, SessionStamp
from tests.stamps.talk import Talk, execute, insert, plain

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_replace_of_a_row_in_its_place(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(0, 2):
        insert(talk.values(1, "replaced"), verb="REPLACE")
    assert Message.objects.get(position=1).text == "replaced"


def test_replace_of_a_row_by_its_key(talk: Talk) -> None:
    first, *_ = talk.say(2)
    with talk.moves(0, 2):
        insert(talk.values(5, id=first.pk), verb="INSERT OR REPLACE")


def test_replace_of_two_rows_by_one(talk: Talk) -> None:
    first, second = talk.say(2)
    with talk.moves(-1, 2):
        insert(talk.values(second.position, public_id=plain(first.public_id)), verb="REPLACE")


def test_replace_of_another_sessions_row(talk: Talk, other: Talk) -> None:
    [message] = talk.say(1)
    with talk.moves(-1, 1), other.moves(1, 1):
        insert(other.values(0, public_id=plain(message.public_id)), verb="REPLACE")


def test_replace_without_a_conflict_is_an_insert(talk: Talk) -> None:
    with talk.moves(1, 1):
        insert(talk.values(0), verb="REPLACE")


def test_insert_or_ignore(talk: Talk, other: Talk) -> None:
    talk.say(1)
    with talk.moves(0, 0), other.moves(1, 1):
        insert(talk.values(0), verb="INSERT OR IGNORE")
        insert(other.values(0), verb="INSERT OR IGNORE")


def test_update_or_replace_deletes_the_row_it_lands_on(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(-1, 2):
        execute("UPDATE OR REPLACE sessions_app_message SET position = 0, text = 'landed' WHERE position = 1")
    assert Message.objects.get().text == "landed"


def test_update_or_replace_across_sessions(talk: Talk, other: Talk) -> None:
    talk.say(1)
    other.say(1)
    with talk.moves(-1, 1), other.moves(0, 2):
        execute(
            "UPDATE OR REPLACE sessions_app_message"
            " SET chat_session_id = %s, branch_id = %s WHERE chat_session_id = %s",
            plain(other.session_id), plain(other.branch_id), plain(talk.session_id),
        )  # fmt: skip


def test_update_or_ignore_that_changes_nothing(talk: Talk, other: Talk) -> None:
    talk.say(2)
    with talk.moves(0, 0):
        execute("UPDATE OR IGNORE sessions_app_message SET position = 0 WHERE position = 1")
        other.say(1)


def test_replace_of_a_session_or_a_branch_raises_the_revision(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(0, 1):
        execute("REPLACE INTO sessions_app_chatsession SELECT * FROM sessions_app_chatsession")
    fork = Branch.objects.create(chat_session_id=talk.session_id, parent_id=talk.branch_id, fork_position=1)
    with talk.moves(0, 1):
        execute(
            "REPLACE INTO sessions_app_branch (id, chat_session_id, parent_id, fork_position, created_at)"
            " SELECT id, chat_session_id, parent_id, 0, created_at FROM sessions_app_branch WHERE id = %s",
            plain(fork.pk),
        )


def test_replace_does_not_lower_a_revision(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(0, 0), pytest.raises(DatabaseError, match="never falls"), transaction.atomic():
        execute(
            "REPLACE INTO sessions_app_sessionstamp (chat_session_id, message_count, revision, recount)"
            " VALUES (%s, 0, 0, 0)",
            plain(talk.session_id),
        )


@pytest.mark.django_db(transaction=True)
def test_a_program_that_knows_nothing_of_django_is_counted_too(talk: Talk) -> None:
    talk.say(1)
    foreign = sqlite3.connect(connection.settings_dict["NAME"])
    with foreign, talk.moves(1, 2):
        foreign.execute(
            "INSERT INTO sessions_app_message (public_id, owner_id, chat_session_id, branch_id, position, role, text)"
            " SELECT branch_id, owner_id, chat_session_id, branch_id, 1, role, text FROM sessions_app_message"
        )
        foreign.execute("UPDATE sessions_app_message SET text = 'edited' WHERE position = 0")
        foreign.commit()
    foreign.close()
    assert not SessionStamp.objects.filter(recount=True).exists()
