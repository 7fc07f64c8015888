"""Another program's raw SQL moves the stamp like our own writes."""

import pytest
from django.db import DatabaseError, transaction

from agentcache import Stamp
from sessions_app.models import Message
from tests.stamps.talk import Talk, execute, insert, plain

pytestmark = pytest.mark.django_db


def test_insert(talk: Talk, other: Talk) -> None:
    with talk.moves(1, 1), other.moves(0, 0):
        insert(talk.values(0))
    message = Message.objects.get()
    assert (message.status, message.created_at is None) == ("complete", False)


def test_insert_of_many_rows_in_several_sessions(talk: Talk, other: Talk) -> None:
    talk.say(2)
    with talk.moves(0, 0), other.moves(2, 2):
        execute(
            "INSERT INTO sessions_app_message (public_id, owner_id, chat_session_id, branch_id, position, role, text)"
            " SELECT chat_session_id, owner_id, %s, %s, position, role, text FROM sessions_app_message"
            " WHERE position = 0 UNION ALL SELECT branch_id, owner_id, %s, %s, position, role, text"
            " FROM sessions_app_message WHERE position = 1",
            *(plain(other.session_id), plain(other.branch_id)) * 2,
        )


def test_update(talk: Talk, other: Talk) -> None:
    talk.say(2)
    other.say(1)
    with talk.moves(0, 1), other.moves(0, 0):
        execute(
            "UPDATE sessions_app_message SET text = 'edited' WHERE position = 1 AND chat_session_id = %s",
            plain(talk.session_id),
        )
    with talk.moves(0, 2), other.moves(0, 1):
        assert execute("UPDATE sessions_app_message SET status = 'stopped'") == 3


def test_update_that_moves_rows(talk: Talk, other: Talk) -> None:
    talk.say(2)
    with talk.moves(-2, 2), other.moves(2, 2):
        execute(
            "UPDATE sessions_app_message SET chat_session_id = %s, branch_id = %s",
            plain(other.session_id),
            plain(other.branch_id),
        )


def test_delete(talk: Talk, other: Talk) -> None:
    talk.say(3)
    other.say(1)
    with talk.moves(-1, 1), other.moves(0, 0):
        execute("DELETE FROM sessions_app_message WHERE position = 1 AND chat_session_id = %s", plain(talk.session_id))
    with talk.moves(-2, 2), other.moves(-1, 1):
        execute("DELETE FROM sessions_app_message")


def test_on_conflict(talk: Talk) -> None:
    talk.say(1)
    with talk.moves(0, 0):
        insert(talk.values(0), conflict="ON CONFLICT DO NOTHING")
    with talk.moves(0, 1):
        insert(talk.values(0, "new"), conflict="ON CONFLICT (branch_id, position) DO UPDATE SET text = excluded.text")
    assert Message.objects.get().text == "new"


def test_undo_and_write_something_else_returns_the_count_and_not_the_revision(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(0, 2):
        execute("DELETE FROM sessions_app_message WHERE position = 1")
        insert(talk.values(1, "something else"))


def test_a_decrease_of_the_revision_is_refused(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(0, 0), pytest.raises(DatabaseError, match="never falls"), transaction.atomic():
        execute("UPDATE sessions_app_sessionstamp SET revision = 1, message_count = 1")
    assert talk.stamp == Stamp(2, 2)
