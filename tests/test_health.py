"""`/healthz`: 200 while the database, its disk and Redis where configured do what they must; 503 else, without why."""

import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from hermes_site import disk, health
from hermes_site.disk import Disk
from tests.services import free_port


class Time:
    """A monotonic clock that stands still."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The clock of a disk that was not tried yet."""
    time = Time()
    monkeypatch.setattr(health, "_disk", Disk(time))
    return time


@contextmanager
def full_disk() -> Iterator[None]:
    """The kernel lets this process write nothing into files; PostgreSQL, whose files are another's, only reads."""
    with ExitStack() as healed:
        if connection.vendor == "sqlite":
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            healed.callback(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        else:
            cursor = healed.enter_context(connection.cursor())
            healed.callback(cursor.execute, "SET default_transaction_read_only = off")
            cursor.execute("SET default_transaction_read_only = on")
        yield


@pytest.mark.django_db
def test_healthy_without_a_login(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"healthy": True, "database": True, "disk": True})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_a_redis_that_answers(client: Client, settings: Settings, redis_url: str) -> None:
    settings.REDIS_URL = redis_url
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (
        200,
        {"healthy": True, "database": True, "disk": True, "redis": True},
    )


@pytest.mark.django_db
def test_a_redis_that_does_not_answer(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://:secret@127.0.0.1:{free_port()}/0"
    response = client.get("/healthz")
    told = {"healthy": False, "database": True, "disk": True, "redis": False}
    assert (response.status_code, response.json()) == (503, told)
    assert "secret" not in response.content.decode()


@pytest.mark.django_db
def test_a_database_without_our_tables(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user RENAME TO lost")
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"healthy": False, "database": False})


@pytest.mark.django_db(transaction=True)
def test_a_disk_that_takes_nothing_more(client: Client, time: Time) -> None:
    # A connection that is new would have no room for SQLite's side files: then not even the database answers.
    assert client.get("/healthz").status_code == 200
    time.now += disk.EVERY
    with full_disk():
        response = client.get("/healthz")
        time.now += disk.EVERY
    assert (response.status_code, response.json()) == (503, {"healthy": False, "database": True, "disk": False})
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_disk_is_not_written_to_at_every_request(client: Client, time: Time) -> None:
    assert client.get("/healthz").status_code == 200
    time.now += disk.EVERY - 0.1
    with full_disk():
        assert client.get("/healthz").status_code == 200
        time.now += 0.1
        assert client.get("/healthz").status_code == 503


@pytest.mark.django_db(transaction=True)
def test_trying_the_disk_leaves_nothing_behind(client: Client) -> None:
    assert client.get("/healthz").status_code == 200
    assert "hermes_probe" not in connection.introspection.table_names()
    if connection.vendor == "sqlite":
        folder = Path(connection.settings_dict["NAME"]).parent
        assert [path.name for path in folder.iterdir() if not path.name.startswith("test.sqlite3")] == []


def test_only_for_reading(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
