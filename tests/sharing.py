"""What the processes of one test run share: PostgreSQL, Redis, filled databases. Each takes seconds to make."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

from tests import databases, forks, services
from tests.databases import Database

MIGRATED, SQLITE, POSTGRESQL = "migrated.json", "sqlite.json", "postgresql.json"
_FOLDER = "TEST_FOLDER"
# Folders that have a browser or sites of their own: one process makes them for all of a folder.
_TOGETHER = ("tests/browser/", "tests/openai_api/", "tests/agui_api/", "tests/files/")
# The longest first, so that no process is left alone with one of them at the end.
_FIRST = (*_TOGETHER, "tests/chaos/test_chaos", "tests/many/", "tests/guard/", "tests/deploy/", "tests/engine/")


def longest_first(items: list[pytest.Item]) -> None:
    """Sort the tests of a run in several processes."""

    def rank(item: pytest.Item) -> int:
        return next((number for number, start in enumerate(_FIRST) if item.nodeid.startswith(start)), len(_FIRST))

    items.sort(key=rank)


class Scheduling(LoadFileScheduling):
    """Gives out tests by their modules, and by their folder where that has what takes long to start."""

    def _split_scope(self, nodeid: str) -> str:
        whole = next((start for start in _TOGETHER if nodeid.startswith(start)), None)
        return whole or super()._split_scope(nodeid)


def begin(config: pytest.Config) -> None:
    """Make the folder of a run, and start what its processes use, before there are any."""
    if is_worker(config):
        return
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix="hermes-tests-")
    forks.offer()
    if config.getoption("numprocesses", None):
        forks.start_server()
        os.environ |= {"TEST_DATABASE_URL": services.postgres_url(), "TEST_REDIS_URL": services.redis_url()}


def end(config: pytest.Config) -> None:
    """Remove what was made for a run."""
    if is_worker(config):
        return
    template = folder() / POSTGRESQL
    if template.exists():
        databases.drop(_read(template))
    shutil.rmtree(folder())


def is_worker(config: pytest.Config) -> bool:
    """Whether this is a process to which another gives its tests."""
    return hasattr(config, "workerinput")


def folder() -> Path:
    """Return the folder of the run."""
    return Path(os.environ[_FOLDER])


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Keep the other processes out of a block."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made_once(name: str, make: Callable[[], Database]) -> Database:
    """Return the database that the first process to ask has made; it is written down by its name."""
    kept = folder() / name
    with one_at_a_time(kept.with_suffix(".lock")):
        if not kept.exists():
            made = make()
            kept.write_text(json.dumps([made.url, made.tokens]))
    return _read(kept)


def _read(kept: Path) -> Database:
    return Database(*json.loads(kept.read_text()))
