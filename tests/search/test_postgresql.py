"""What only PostgreSQL can do: several writers at once. Not collected on SQLite (conftest)."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction

from sessions_app.conversations.search import index
from sessions_app.models import Message
from tests.search.oracle import assert_invariant, catch_up, found
from tests.stamps.talk import Talk, execute

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def foreign() -> Iterator[psycopg.Connection]:
    """Another program's connection, in a transaction of its own."""
    given = connection.get_connection_params()
    with psycopg.connect(**{name: given[name] for name in ("dbname", "user", "host", "port")}) as other:
        yield other


def test_a_change_that_commits_during_a_step_is_not_lost(mine: Talk, foreign: psycopg.Connection) -> None:
    mine.message(0, "before").save()
    foreign.execute("UPDATE sessions_app_message SET text = 'afterwards'")
    catch_up()
    assert found(mine.owner_id, "before") == ["before"]
    foreign.commit()
    assert index.waiting()
    for _ in range(2):
        assert (found(mine.owner_id, "before"), found(mine.owner_id, "afterwards")) == ([], ["afterwards"])
        catch_up()


def test_an_older_change_that_commits_later_is_not_lost(mine: Talk, foreign: psycopg.Connection) -> None:
    second = Talk.of(mine.owner_id)
    for talk in (mine, second):
        talk.message(0, "before").save()
    catch_up()
    foreign.execute("UPDATE sessions_app_message SET text = 'afterwards' WHERE chat_session_id = %s", [mine.session_id])
    Message.objects.filter(chat_session=second.session_id).update(text="meantime")
    catch_up()
    foreign.commit()
    catch_up()
    assert_invariant()
    assert found(mine.owner_id, "afterwards") == ["afterwards"]


def test_a_writer_does_not_wait_for_a_step(mine: Talk, foreign: psycopg.Connection) -> None:
    mine.message(0, "before").save()
    foreign.execute("SET lock_timeout = '1ms'")
    with transaction.atomic():
        assert index.catch_up()
        foreign.execute("UPDATE sessions_app_message SET text = 'afterwards'")
        foreign.commit()
    assert found(mine.owner_id, "afterwards") == ["afterwards"]
    catch_up()
    assert_invariant()


def test_one_process_at_a_time_keeps_the_index(mine: Talk, foreign: psycopg.Connection) -> None:
    mine.message(0, "needle").save()
    foreign.execute("SELECT pg_advisory_xact_lock(%s)", [index._LOCK])
    with transaction.atomic():
        assert not index.catch_up()
    assert index.waiting()
    assert found(mine.owner_id, "needle") == ["needle"]
    foreign.rollback()
    catch_up()
    assert_invariant()


def test_copy_merge_and_truncate(mine: Talk, foreign: psycopg.Connection) -> None:
    row = mine.values(0, "needle by COPY")
    with foreign.cursor().copy(f"COPY sessions_app_message ({', '.join(row)}) FROM STDIN") as copy:
        copy.write_row(list(row.values()))
    foreign.commit()
    assert found(mine.owner_id, "needle") == ["needle by COPY"]
    catch_up()
    execute(
        "MERGE INTO sessions_app_message AS old USING (VALUES (0)) AS new (position)"
        " ON old.position = new.position WHEN MATCHED THEN UPDATE SET text = 'merged needle'"
    )
    assert found(mine.owner_id, "needle") == ["merged needle"]
    catch_up()
    execute("TRUNCATE sessions_app_message CASCADE")
    assert found(mine.owner_id, "needle") == []
    assert_invariant()
