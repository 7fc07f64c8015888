"""What only SQLite can do to a row, and programs whose SQLite knows less than ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from django.db import connection

from sessions_app.conversations.search import finding, index
from sessions_app.database import plain
from sessions_app.models import Message
from tests.search.oracle import assert_invariant, catch_up, found
from tests.stamps.talk import Talk, execute, insert
from tests.stamps.talk import plain as as_stored

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

CHANGES: dict[str, Callable[[Talk], object]] = {
    "replace": lambda talk: insert(talk.values(1, "needle, replaced"), verb="REPLACE"),
    "replace by key": lambda talk: insert(
        talk.values(9, "needle, replaced", id=Message.objects.order_by("pk")[0].pk), verb="INSERT OR REPLACE"
    ),
    "replace of two": lambda talk: insert(
        talk.values(1, "one for two", public_id=as_stored(Message.objects.get(position=0).public_id)), verb="REPLACE"
    ),
    "ignore": lambda talk: insert(talk.values(1, "ignored needle"), verb="INSERT OR IGNORE"),
    "update or replace": lambda talk: execute(
        "UPDATE OR REPLACE sessions_app_message SET position = 0, text = 'needle, landed' WHERE position = 1"
    ),
    "update of a key or replace": lambda talk: execute(
        "UPDATE OR REPLACE sessions_app_message SET id = (SELECT min(id) FROM sessions_app_message) WHERE position = 2"
    ),
}


@pytest.mark.parametrize("settle", [lambda: None, catch_up], ids=["not indexed", "indexed"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_search_sees_every_replacement(
    mine: Talk, change: Callable[[Talk], object], settle: Callable[[], None]
) -> None:
    for position in range(3):
        mine.message(position, f"a needle at {position}").save()
    catch_up()
    change(mine)
    settle()
    assert_invariant()
    stored = Message.objects.filter(text__contains="needle").order_by("-pk").values_list("text", flat=True)
    assert found(mine.owner_id, "needle") == list(stored)


@pytest.mark.django_db(transaction=True)
def test_a_program_without_fts5_writes_and_is_found(mine: Talk) -> None:
    mine.message(0, "needle").save()
    catch_up()
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as foreign, foreign:
        touched: set[str] = set()

        def authorize(action: int, table: str | None, *_: object) -> int:
            touched.add(table or "")
            return sqlite3.SQLITE_OK

        foreign.set_authorizer(authorize)
        foreign.execute(
            "INSERT INTO sessions_app_message (public_id, owner_id, chat_session_id, branch_id, position, role, text)"
            " SELECT branch_id, owner_id, chat_session_id, branch_id, 1, role, 'ｎｅｅｄｌｅ' FROM sessions_app_message"
        )
        foreign.execute("UPDATE sessions_app_message SET text = 'NEEDLE 1' WHERE position = 0")
        foreign.execute("DELETE FROM sessions_app_message WHERE position = 7")
    assert "hermes_search_change" in touched
    assert not [name for name in touched if name.startswith("hermes_search_keys")]
    for _ in range(2):
        assert found(mine.owner_id, "needle") == ["ｎｅｅｄｌｅ", "NEEDLE 1"]
        catch_up()


def test_bytes_that_are_no_text_keep_nothing_else_from_the_index(mine: Talk) -> None:
    broken, sound = mine.message(0), mine.message(1, "a needle")
    broken.save()
    sound.save()
    execute("UPDATE sessions_app_message SET text = CAST(x'6e6565646c65ff' AS TEXT) WHERE position = 0")
    assert list(finding.newest(mine.owner_id, "needle", 5)) == [sound.pk, broken.pk]
    while index.waiting():
        index.catch_up()
    assert list(finding.newest(mine.owner_id, "needle", 5)) == [sound.pk, broken.pk]


def test_an_index_that_follows_leaves_no_key_behind(mine: Talk) -> None:
    for position in range(20):
        mine.message(position, f"needle {position} ßé").save()
    catch_up()
    Message.objects.filter(position__lt=10).update(text="rewritten")
    catch_up()
    Message.objects.all().delete()
    catch_up()
    assert plain.rows("SELECT message_id FROM hermes_search_entry", []) == []
    plain.each("INSERT INTO hermes_search_keys (hermes_search_keys) VALUES ('integrity-check')", [[]])


def test_a_common_word_stops_at_the_limit(mine: Talk) -> None:
    Message.objects.bulk_create(mine.message(position, "a word") for position in range(400))
    catch_up()
    newest = Message.objects.order_by("-pk").values_list("pk", flat=True)[:5]
    read: list[str] = []

    def instr(text: str, part: str) -> bool:
        read.append(text)
        return part in text

    connection.ensure_connection()
    connection.connection.create_function("instr", 2, instr)
    assert list(finding.newest(mine.owner_id, "word", 5)) == list(newest)
    connection.close()
    assert len(read) == 10  # each twice: whether it holds the word, and where
