"""What docs/operations.md tells operators to type, typed."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from tests import databases, services
from tests.databases import Database
from tests.processes import ROOT
from tests.stamps.talk import Talk

PAGE = (ROOT / "docs/operations.md").read_text()
ROWS = (
    "SELECT id, position, text FROM sessions_app_message ORDER BY id",
    "SELECT message_count, revision, characters FROM sessions_app_sessionstamp",
    "SELECT owner_id, sum(sessions), sum(characters), sum(file_bytes) FROM sessions_app_storagecount GROUP BY owner_id",
    "SELECT username, password FROM auth_user",
)


@pytest.fixture
def talk(transactional_db: None) -> Talk:
    """A conversation that other programs can see."""
    talk = Talk.of(get_user_model().objects.create_user("owner").pk)
    talk.say(3)
    return talk


@pytest.fixture
def here() -> Database:
    """The test's database, as another program sees it."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return Database(f"sqlite:///{name}")
    return Database(services.postgres_url().rpartition("/")[0] + f"/{name}")


def typed(program: str, folder: Path, **env: str) -> None:
    """Runs the page's line that begins with a program."""
    (line,) = re.findall(rf"^    ((?:\(umask 077; )?{program} .*)$", PAGE, re.MULTILINE)
    found = os.path.dirname(services.program(program))
    path = os.pathsep.join((found, os.environ["PATH"]))
    subprocess.run(["/bin/sh", "-c", line], cwd=folder, env={**os.environ, **env, "PATH": path}, check=True)


def restored(here: Database, folder: Path) -> Database:
    """A backup of a database, as the page has it made, and made a database again."""
    if not here.on_postgresql:
        (folder / "db.sqlite3").symlink_to(here.url.removeprefix("sqlite:///"))
        typed("sqlite3", folder)
        return Database(f"sqlite:///{folder / 'backup.sqlite3'}")
    typed("pg_dump", folder, DATABASE_URL=here.url)
    new = databases.postgresql()
    typed("pg_restore", folder, DATABASE_URL=new.url)
    return new


def test_a_backup_is_the_same_and_goes_on_counting(talk: Talk, here: Database, tmp_path: Path) -> None:
    copy = restored(here, tmp_path)
    for sql in ROWS:
        assert copy.run(sql) == here.run(sql)
        assert copy.run(sql)
    copy.run("UPDATE sessions_app_message SET text = 'rewritten' WHERE position = 1")
    assert copy.run("SELECT revision FROM sessions_app_sessionstamp") == [(talk.stamp.revision + 1,)]
    if copy.on_postgresql:
        databases.drop(copy)


@pytest.mark.one_database
def test_nobody_else_may_read_a_backup(talk: Talk, here: Database, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        copy = restored(here, tmp_path)
    finally:
        os.umask(before)
    backup = tmp_path / ("hermes.dump" if here.on_postgresql else "backup.sqlite3")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    if copy.on_postgresql:
        databases.drop(copy)


def test_what_operators_ask_the_database(postgres_template: Database) -> None:
    statements = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert len(statements) == 5
    copy = databases.postgresql(postgres_template)
    for statement in statements:
        copy.run(statement)
    databases.drop(copy)
