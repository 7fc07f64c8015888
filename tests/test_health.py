"""`/healthz`: 200 while the database, and Redis where configured, answer; 503 else, and nothing of why."""

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tests.services import free_port


@pytest.mark.django_db
def test_healthy_without_a_login(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"healthy": True, "database": True})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_a_redis_that_answers(client: Client, settings: Settings, redis_url: str) -> None:
    settings.REDIS_URL = redis_url
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"healthy": True, "database": True, "redis": True})


@pytest.mark.django_db
def test_a_redis_that_does_not_answer(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://:secret@127.0.0.1:{free_port()}/0"
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"healthy": False, "database": True, "redis": False})
    assert "secret" not in response.content.decode()


@pytest.mark.django_db
def test_a_database_without_our_tables(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user RENAME TO lost")
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"healthy": False, "database": False})


def test_only_for_reading(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
