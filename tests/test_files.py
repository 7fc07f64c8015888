"""Files of the host: whoever else has an account on the machine reads none of them."""

import logging
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytest_django import Settings

from sessions_app.management import files
from sessions_app.turn_store import liveness
from tests import databases
from tests.databases import Database
from tests.live import manage


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def configure(settings: Settings, monkeypatch: pytest.MonkeyPatch, engine: str, name: Path) -> None:
    """Tell the site where its database is. No connection is made: overridden as a whole, Django warns of one."""
    config = {"ENGINE": f"django.db.backends.{engine}", "NAME": str(name)}
    monkeypatch.setitem(settings.DATABASES, "default", config)


@pytest.fixture
def database(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the site's database is to be: a folder of its own, as mkdir makes one; and a project folder."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    settings.BASE_DIR = tmp_path
    configure(settings, monkeypatch, "sqlite3", folder / "db.sqlite3")
    return folder / "db.sqlite3"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: mode(path) for path in folder.iterdir()}


def make(path: Path, permissions: int) -> Path:
    path.touch()
    path.chmod(permissions)
    return path


def test_setup_makes_only_files_of_its_own(tmp_path: Path, migrated: Database) -> None:
    """Of a new site, test_make_run_twice asks."""
    there = databases.sqlite(tmp_path, migrated)
    tmp_path.chmod(0o755)
    Path(there.file).chmod(0o644)
    manage("setup", env={"DATABASE_URL": there.url})
    assert modes(tmp_path) == {Path(there.file).name: 0o600}
    assert mode(tmp_path) == 0o700


def test_what_comes_to_lie_beside_the_database_is_private_too(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.make_private()
    monkeypatch.setattr(liveness, "_folder", lambda: database.with_name("db.sqlite3-processes"))
    process = liveness.Process()
    process.start()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE words (word)")
        beside = modes(database.parent)
    assert beside == {
        **dict.fromkeys(("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm"), 0o600),
        "db.sqlite3-processes": 0o700,
    }
    assert list(modes(database.with_name("db.sqlite3-processes")).values()) == [0o600]
    process.end()


def test_a_database_is_private_before_anything_is_in_it(database: Path) -> None:
    files.make_private()
    assert (mode(database), database.stat().st_size) == (0o600, 0)


def test_what_is_there_is_tightened(database: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        make(database.with_name(database.name + suffix), 0o664)
    processes = database.with_name("db.sqlite3-processes")
    processes.mkdir(mode=0o755)
    secret = make(database.parent.parent / ".secret_key", 0o644)
    files.make_private()
    names = ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", "db.sqlite3-journal")
    assert modes(database.parent) == {**dict.fromkeys(names, 0o600), "db.sqlite3-processes": 0o700}
    assert (mode(secret), mode(database.parent)) == (0o600, 0o700)


def test_a_folder_with_other_things_in_it_is_left_as_it_is(database: Path) -> None:
    other = make(database.with_name("Makefile"), 0o644)
    files.make_private()
    assert (mode(database), mode(other), mode(database.parent)) == (0o600, 0o644, 0o755)


def test_a_folder_for_everybody_is_left_as_it_is(database: Path) -> None:
    database.parent.chmod(0o1777)
    files.make_private()
    assert (mode(database), mode(database.parent)) == (0o600, 0o1777)


def test_what_is_private_is_not_touched(database: Path) -> None:
    make(database, 0o400)
    files.make_private()
    assert mode(database) == 0o400


def test_a_mode_that_cannot_be_changed_is_one_sentence(
    database: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(database, 0o644)

    def refuse(path: Path, mode: int) -> None:
        # What the kernel says to all but root and the owner; the tests may run as root.
        raise PermissionError(1, "Operation not permitted", str(path))

    database.parent.chmod(0o700)
    monkeypatch.setattr(Path, "chmod", refuse)
    files.make_private()
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"{database} stays readable for other users of this machine, with mode 0644: Operation not permitted."
        " The site's user must own it."
    )


def test_postgresql_sees_to_its_own_files(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    configure(settings, monkeypatch, "postgresql", tmp_path / "hermes")
    files.make_private()
    assert list(tmp_path.iterdir()) == []
