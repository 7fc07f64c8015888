"""PostgreSQL ends a connection in the middle of our work. (Not collected on SQLite: conftest.)"""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import Error, connection, connections

from sessions_app import database
from sessions_app.models import ChatSession
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, said


def break_connection() -> None:
    """As a restart of PostgreSQL does, or an administrator."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.fixture
def connected_again(transactional_db: None) -> Iterator[None]:
    """The test's own thread loses its connection, too."""
    yield
    connections.close_all()


async def break_all_others() -> None:
    """Ends every connection of the database but the one that does it."""
    await database.write(
        lambda: connection.cursor().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    )


async def test_what_was_not_committed_is_done_again(session: NewSession) -> None:
    chat = await session()
    tries: list[int] = []

    def rename() -> None:
        tries.append(1)
        ChatSession.objects.filter(pk=chat).update(title=f"try {len(tries)}")
        if len(tries) == 1:
            break_connection()

    await database.write(rename)
    assert await database.read(lambda: ChatSession.objects.get(pk=chat).title) == "try 2"


async def test_what_was_to_be_read_is_read_again(session: NewSession) -> None:
    await session()
    tries: list[int] = []

    def count() -> int:
        tries.append(1)
        if len(tries) == 1:
            break_connection()
        return ChatSession.objects.count()

    assert await database.read(count) == 1


async def test_what_may_have_been_committed_is_not_done_again(
    session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    tries: list[int] = []

    def rename() -> None:
        tries.append(1)
        ChatSession.objects.filter(pk=chat).update(title="new")
        monkeypatch.setattr(connection, "commit", break_and_commit)

    def break_and_commit() -> None:
        monkeypatch.undo()
        break_connection()

    with pytest.raises(Error):
        await database.write(rename)
    assert tries == [1]


async def test_a_turn_survives_the_loss_of_every_pooled_connection(
    connected_again: None, host: Host, session: NewSession
) -> None:
    chat = await session()
    await host.turn(chat, "one")
    await break_all_others()
    assert (await host.turn(chat, "two")).status == "complete"
    assert [text for _, text, _ in await said(chat)][::2] == ["one", "two"]


async def test_who_slept_in_a_transaction_for_too_long_does_it_again(session: NewSession) -> None:
    chat = await session()
    tries: list[int] = []

    def rename() -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 1")
        if len(tries) == 1:
            asleep = threading.Event()
            while connection.connection.pgconn.socket >= 0 and not _is_readable(connection.connection):
                asleep.wait(0.01)
        ChatSession.objects.filter(pk=chat).update(title=f"try {len(tries)}")

    await database.write(rename)
    assert await database.read(lambda: ChatSession.objects.get(pk=chat).title) == "try 2"


def _is_readable(raw: Any) -> bool:
    """Whether the server has said something unasked: that it has ended the connection."""
    return bool(select.select([raw.pgconn.socket], [], [], 0)[0])
