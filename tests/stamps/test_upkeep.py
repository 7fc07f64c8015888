"""The triggers survive migrations, a missing one is reported, and fixtures do not load stamps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection, models, transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from agentcache import Stamp
from sessions_app.conversations.storage import Stored, stored
from sessions_app.database import triggers
from sessions_app.models import ChatSession, Message, SessionStamp
from tests.emptying import empty_audit
from tests.search.oracle import assert_invariant, catch_up, found
from tests.stamps.stored import assert_storage_is_true
from tests.stamps.talk import Talk, execute

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def migration() -> Iterator[None]:
    """What `migrate` does around the operations of a plan that is not empty."""
    emit_pre_migrate_signal(
        verbosity=0, interactive=False, db="default", plan=[(Migration("9999", "sessions_app"), False)]
    )
    yield
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default", plan=[])


def names() -> set[str]:
    return triggers.present(connection)


def drop(name: str) -> None:
    table = triggers._triggers(connection.vendor)[name]
    execute(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))


@pytest.mark.parametrize("model", [Message, ChatSession, SessionStamp])
def test_a_migration_that_rebuilds_a_table_keeps_the_triggers(talk: Talk, model: type[models.Model]) -> None:
    talk.say(2)
    before = names()
    # The constraint makes SQLite's schema editor build the table anew.
    constraint = models.CheckConstraint(condition=~models.Q(pk=None), name="never_violated")
    with migration(), connection.schema_editor() as editor:
        editor.add_constraint(model, constraint)
    assert names() == before
    with talk.moves(1, 1):
        talk.message(2).save()
    with migration(), connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    assert names() == before


def test_what_a_migration_changes_is_counted_after_it(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(1, 1), migration():
        talk.message(2).save()
        assert talk.stamp.message_count == 2


def test_migrating_again_changes_nothing(talk: Talk) -> None:
    with talk.moves(0, 0):
        call_command("migrate", verbosity=0)


def test_a_missing_trigger_is_reported_and_made_again(talk: Talk) -> None:
    call_command("check", databases=["default"])
    drop("hermes_message_delete")
    with pytest.raises(SystemCheckError, match="hermes_message_delete"):
        call_command("check", databases=["default"])
    talk.say(2)
    Message.objects.filter(position=1).delete()
    assert talk.stamp == Stamp(2, 2)
    call_command("migrate", verbosity=0)
    call_command("check", databases=["default"])
    assert talk.stamp == Stamp(1, 3)


def test_fixtures_carry_messages_and_no_stamps(talk: Talk, tmp_path: Path) -> None:
    talk.say(3)
    execute("UPDATE sessions_app_message SET parts = %s WHERE position = 1", '[{"b":1,"a":[1.0,1e3]}]')
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "auth.user", "sessions_app", output=str(dump), verbosity=0)
    empty_audit()
    call_command("flush", interactive=False, verbosity=0)
    assert not SessionStamp.objects.exists()
    call_command("loaddata", str(dump), verbosity=0)
    assert talk.stamp.message_count == 3
    assert talk.stamp.revision >= 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT parts FROM sessions_app_message WHERE position = 1")
        assert cursor.fetchone() == ('[{"b":1,"a":[1.0,1000.0]}]',)
    assert_storage_is_true()
    with talk.moves(1, 1):
        talk.message(3).save()


def test_a_flush_leaves_no_counts(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    talk.say(3)
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    # On SQLite the order is another in each process. This one lets triggers count after the counts were deleted.
    first = ["auth_user", "sessions_app_storagecount", "sessions_app_message"]
    order = first + [table for table in tables if table not in first]
    monkeypatch.setattr(connection.introspection, "django_table_names", lambda **_: order)
    empty_audit()
    call_command("flush", interactive=False, verbosity=0)
    assert stored(talk.owner_id) == Stored(0, 0)


def test_loading_a_dump_over_a_living_session_never_lowers_its_revision(talk: Talk, tmp_path: Path) -> None:
    talk.say(2)
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "sessions_app", output=str(dump), verbosity=0)
    Message.objects.update(text="edited")
    seen = talk.stamp
    call_command("loaddata", str(dump), verbosity=0)
    assert talk.stamp.message_count == 2
    assert talk.stamp.revision > seen.revision
    assert_storage_is_true()


def test_a_text_that_another_program_replaced_while_the_triggers_were_away_is_noticed(talk: Talk) -> None:
    talk.say(2)
    before = talk.stamp
    with migration():
        execute("UPDATE sessions_app_message SET text = 'replaced'")
    assert (talk.stamp.message_count, talk.stamp.revision) == (before.message_count, before.revision + 1)


def test_a_text_that_changed_while_the_triggers_were_away_is_found(talk: Talk) -> None:
    for position in range(3):
        talk.message(position, f"before {position}").save()
    catch_up()
    with migration():
        execute("UPDATE sessions_app_message SET text = 'replaced' WHERE position = 0")
        execute("DELETE FROM sessions_app_message WHERE position = 1")
    assert (found(talk.owner_id, "replaced"), found(talk.owner_id, "before")) == (["replaced"], ["before 2"])
    catch_up()
    assert_invariant()
    assert (found(talk.owner_id, "replaced"), found(talk.owner_id, "before")) == (["replaced"], ["before 2"])


@pytest.mark.thorough
def test_migrating_to_nothing_and_up_from_an_older_release(talk: Talk) -> None:
    """Down with rows, to nothing, and up with the rows of the older release: each way once, as it takes seconds."""
    before = names()
    texts = [f"STRASSE {position}" for position in range(3)]
    for position, text in enumerate(texts):
        talk.message(position, text).save()
    rows: list[models.Model] = []

    def restore() -> None:
        store_again(rows)
        for statement in RELEASE_BEFORE[connection.vendor]:
            execute(statement)

    with migration():
        migrate([("sessions_app", None)], "unapply_start", lambda: rows.extend(older_rows()))
        assert Message._meta.db_table not in connection.introspection.table_names()
        migrate(MigrationLoader(connection).graph.leaf_nodes(), "apply_success", restore)
    assert names() == before
    assert "hermes_message_search" not in objects()
    assert found(talk.owner_id, "straße") == texts[::-1]
    catch_up()
    assert_invariant()
    assert found(talk.owner_id, "straße") == texts[::-1]
    assert_storage_is_true()
    with talk.moves(1, 1):
        talk.message(3).save()


def migrate(targets: list[Any], when: str, act: Callable[[], None]) -> None:
    """Migrate, and act on the way where the database is that of the release before: a stop there takes seconds more."""

    def progress(action: str, migration: Any = None, fake: bool | None = None) -> None:
        if action == when and str(migration) == ".".join(BEFORE):
            act()

    MigrationExecutor(connection, progress).migrate(targets)


def older_rows() -> list[models.Model]:
    """What the release before has stored of conversations."""
    apps = MigrationLoader(connection).project_state(BEFORE).apps
    kinds = ("AgentProfile", "ChatSession", "Branch", "SessionStamp", "Message")
    return [row for kind in kinds for row in apps.get_model("sessions_app", kind).objects.order_by("pk")]


def store_again(rows: list[models.Model]) -> None:
    """Store them in new tables; messages take the next numbers there."""
    with transaction.atomic():
        for row in rows:
            if row._meta.model_name == "message":
                row.pk = None
            row.save(force_insert=True)


BEFORE = ("sessions_app", "0004_turn_by_end")
# What search had in the first release.
RELEASE_BEFORE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE hermes_message_search USING fts5(text, tokenize = 'trigram')",
        "INSERT INTO hermes_message_search (rowid, text) SELECT id, text FROM sessions_app_message",
        "CREATE TRIGGER hermes_message_insert AFTER INSERT ON sessions_app_message BEGIN"
        " INSERT INTO hermes_message_search (rowid, text) VALUES (NEW.id, NEW.text); END",
    ),
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "CREATE INDEX hermes_message_search ON sessions_app_message USING gin (text gin_trgm_ops)",
    ),
}


def objects() -> set[str]:
    """The names of all tables, indexes and triggers."""
    catalogue = {"sqlite": "SELECT name FROM sqlite_master", "postgresql": "SELECT relname FROM pg_class"}
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        return {name for (name,) in cursor.fetchall()}
