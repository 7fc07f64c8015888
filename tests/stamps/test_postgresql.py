"""What only PostgreSQL can do to rows. Not collected on SQLite (conftest)."""

import uuid

import psycopg
import pytest
from django.db import connection, transaction

from sessions_app.models import Message, Turn
from tests.services import postgres_url
from tests.stamps.stored import assert_storage_is_true
from tests.stamps.talk import Talk, execute, insert

pytestmark = pytest.mark.django_db


def test_truncate(talk: Talk, other: Talk) -> None:
    talk.say(2)
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with talk.moves(-2, 1), other.moves(0, 1):
        execute("TRUNCATE sessions_app_message CASCADE")


def test_truncate_of_turns(talk: Talk) -> None:
    talk.say(1)
    place = {"owner_id": talk.owner_id, "chat_session_id": talk.session_id}
    Turn.objects.create(**place, message_id=uuid.uuid4(), text="waits")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("TRUNCATE sessions_app_turn CASCADE")
    assert_storage_is_true()


@pytest.mark.django_db(transaction=True)
def test_no_session_waits_for_a_transaction_in_another(talk: Talk, other: Talk) -> None:
    talk.say(1)
    url = postgres_url().rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
    with psycopg.connect(url) as program:
        longer = "UPDATE sessions_app_message SET text = 'longer' WHERE chat_session_id = %s"
        program.execute(longer, [talk.session_id])
        with transaction.atomic():
            execute("SET LOCAL lock_timeout = '5s'")
            other.say(1)
    assert_storage_is_true()


def test_delete_using_and_update_from(talk: Talk, other: Talk) -> None:
    talk.say(2)
    other.say(1)
    with talk.moves(0, 2), other.moves(0, 0):
        execute(
            "UPDATE sessions_app_message SET text = stamp.revision::text FROM sessions_app_sessionstamp AS stamp"
            " WHERE stamp.chat_session_id = sessions_app_message.chat_session_id AND stamp.message_count = 2"
        )
    with talk.moves(-2, 2), other.moves(0, 0):
        execute(
            "DELETE FROM sessions_app_message USING sessions_app_sessionstamp AS stamp"
            " WHERE stamp.chat_session_id = sessions_app_message.chat_session_id AND stamp.message_count = 2"
        )


def test_merge(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(-1, 2):
        execute(
            "MERGE INTO sessions_app_message AS old USING (VALUES (0), (1)) AS new (position)"
            " ON old.position = new.position WHEN MATCHED AND new.position = 0 THEN UPDATE SET text = 'merged'"
            " WHEN MATCHED THEN DELETE"
        )


def test_writable_common_table_expression(talk: Talk) -> None:
    talk.say(1)
    with talk.moves(0, 2):
        insert(talk.values(1), verb="WITH gone AS (DELETE FROM sessions_app_message RETURNING id) INSERT")


def test_copy(talk: Talk) -> None:
    row = talk.values(0)
    into = f"COPY sessions_app_message ({', '.join(row)}) FROM STDIN"
    with talk.moves(1, 1), connection.cursor() as cursor, cursor.copy(into) as copy:
        copy.write_row(list(row.values()))
    assert Message.objects.get().text == "raw"


def test_a_key_that_changes(talk: Talk, other: Talk) -> None:
    talk.say(2)
    with talk.moves(0, 2):
        execute("UPDATE sessions_app_message SET id = id + 100")
    with talk.moves(-2, 2), other.moves(2, 2):
        execute(
            "UPDATE sessions_app_message SET id = id + 100, chat_session_id = %s, branch_id = %s",
            other.session_id, other.branch_id,
        )  # fmt: skip


def test_rows_that_change_places_in_one_statement_raise_both_revisions(talk: Talk, other: Talk) -> None:
    talk.say(1)
    other.say(2)
    swap = "CASE {0} WHEN '{1}' THEN '{2}'::uuid ELSE '{1}'::uuid END"
    session = swap.format("chat_session_id", talk.session_id, other.session_id)
    branch = swap.format("branch_id", talk.branch_id, other.branch_id)
    changes = f"chat_session_id = {session}, branch_id = {branch}, position = position + 10"
    with talk.moves(1, 2), other.moves(-1, 2):
        execute(f"UPDATE sessions_app_message SET {changes}")
