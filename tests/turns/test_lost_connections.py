"""PostgreSQL ends a connection in the middle of our work. (Not collected on SQLite: conftest.)"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from uuid import UUID

import psycopg
import pytest
from django.db import Error, OperationalError, connection, connections

from sessions_app import database
from sessions_app.database import shared_thread
from sessions_app.models import ChatSession
from tests.guard.by_hand import turn_by_hand
from tests.guard.test_seed import external
from tests.turns.fixtures import NewSession
from tests.turns.host import Event, Host, guard_of, said


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


async def test_a_turn_survives_the_loss_of_every_pooled_connection(
    connected_again: None, host: Host, session: NewSession
) -> None:
    chat = await session()
    await host.turn(chat, "one")
    await break_all_others()
    assert (await host.turn(chat, "two")).status == "complete"
    assert [text for _, text, _ in await said(chat)][::2] == ["one", "two"]


def end_all_sessions() -> None:
    """Ends every connection of the database, those that the pool keeps among them."""
    with psycopg.connect(**connection.get_connection_params() | {"options": ""}, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_a_read_in_the_thread_of_async_calls_is_tried_again(session: NewSession) -> None:
    await session()
    tries: list[int] = []

    def count() -> int:
        tries.append(1)
        if len(tries) == 1:
            break_connection()
        return ChatSession.objects.count()

    assert await shared_thread.read(count) == 1
    assert len(tries) == 2


@pytest.mark.thorough_on_postgresql
async def test_the_rebaseline_survives_the_loss_of_every_connection(
    connected_again: None, quiet_host: Host, session: NewSession
) -> None:
    for _ in range(3):
        chat = await session()
        async with turn_by_hand(quiet_host, chat) as turn:
            await turn.memory.obtain()
            ended = await turn.end()
            await external(chat)
            await asyncio.to_thread(end_all_sessions)
            await turn.rebaseline(ended)
        await quiet_host.listener.until(partial(tells_change, chat))
        assert guard_of(await quiet_host.turn(chat))[1] == "read"


def tells_change(session_id: UUID, event: Event) -> bool:
    """Whether an event says that another program has changed a session."""
    fact = event["event"]
    return bool(fact.get("name") == "transcript.changed" and fact["value"]["session_id"] == str(session_id))


class Rename:
    """Renames a session, and does something of the test's in its first run; counts its runs."""

    def __init__(self, chat: UUID, first: Callable[[], None]) -> None:
        self.chat = chat
        self.first = first
        self.runs = 0

    def __call__(self) -> None:
        self.runs += 1
        ChatSession.objects.filter(pk=self.chat).update(title=f"run {self.runs}")
        if self.runs == 1:
            self.first()

    async def title(self) -> str:
        return await database.read(lambda: ChatSession.objects.get(pk=self.chat).title)


def fall_asleep() -> None:
    """Do nothing until the server ends the session for it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 1")
    await_last_word()


def be_ended_by_another() -> None:
    """As an administrator does, or a restart."""
    with psycopg.connect(**connection.get_connection_params() | {"options": ""}, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    await_last_word()


def sleep_through_the_last_word() -> None:
    """What the server says is read, as it may be with the answer to a statement, and nothing comes of it."""
    fall_asleep()
    with suppress(psycopg.Error):
        list(connection.connection.notifies(timeout=0))
    await_last_word()


def await_last_word() -> None:
    # Nothing was asked, so what can be read is that the session has ended.
    if not connection.connection.closed:
        select.select([connection.connection.pgconn.socket], [], [])


@pytest.mark.parametrize("end", [fall_asleep, be_ended_by_another, sleep_through_the_last_word])
async def test_a_session_that_was_ended_before_its_commit_is_repeated(
    session: NewSession, end: Callable[[], None]
) -> None:
    rename = Rename(await session(), end)
    await database.write(rename)
    assert await rename.title() == "run 2"


@pytest.mark.parametrize("end", [fall_asleep, be_ended_by_another])
async def test_a_session_that_was_ended_between_statements_is_repeated(
    session: NewSession, end: Callable[[], None]
) -> None:
    def end_and_go_on() -> None:
        end()
        ChatSession.objects.update(title="not seen")

    rename = Rename(await session(), end_and_go_on)
    await database.write(rename)
    assert await rename.title() == "run 2"


_FAIL_AT_COMMIT = """
CREATE TEMPORARY TABLE checked () ON COMMIT DROP;
CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = 'found at COMMIT'; END $$;
CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON checked DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION pg_temp.fail();
INSERT INTO checked DEFAULT VALUES;
"""


def fail_at_commit(state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FAIL_AT_COMMIT.format(state=state))


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_a_race_that_was_lost_at_commit_is_repeated(session: NewSession, state: str) -> None:
    rename = Rename(await session(), lambda: fail_at_commit(state))
    await database.write(rename)
    assert await rename.title() == "run 2"


@pytest.mark.parametrize("state", ["57014", "23514"])
async def test_work_that_was_refused_at_commit_is_not_repeated(session: NewSession, state: str) -> None:
    rename = Rename(await session("old"), lambda: fail_at_commit(state))
    with pytest.raises(Error):
        await database.write(rename)
    assert (rename.runs, await rename.title()) == (1, "old")


@pytest.fixture
def commit_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Has this thread's next commit do something else."""

    def patch(instead: Callable[[], None]) -> None:
        own = connections["default"]
        commit = own.commit

        def commit_once() -> None:
            monkeypatch.setattr(own, "commit", commit)
            with own.wrap_database_errors:
                instead()

        monkeypatch.setattr(own, "commit", commit_once)

    return patch


async def test_a_commit_whose_confirmation_is_lost_is_not_repeated(
    session: NewSession, commit_with: Callable[[Callable[[], None]], None]
) -> None:
    def commit_and_hear_nothing() -> None:
        raw = connection.connection
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.shutdown(socket.SHUT_WR)
            os.dup2(ours.fileno(), raw.pgconn.socket)
            raw.commit()

    rename = Rename(await session(), lambda: commit_with(commit_and_hear_nothing))
    with pytest.raises(Error):
        await database.write(rename)
    assert rename.runs == 1


async def test_a_commit_that_was_confirmed_before_the_end_is_not_repeated(
    session: NewSession, commit_with: Callable[[Callable[[], None]], None]
) -> None:
    """The stream of a server that logs durations, where the order to end came during the commit."""

    def commit_and_be_ended() -> None:
        raw = connection.connection
        with raw.lock:
            raw.wait(raw._exec_command("COMMIT; SELECT pg_terminate_backend(pg_backend_pid())"))

    rename = Rename(await session(), lambda: commit_with(commit_and_be_ended))
    with pytest.raises(Error):
        await database.write(rename)
    assert (rename.runs, await rename.title()) == (1, "run 1")


@pytest.mark.parametrize(
    ("state", "runs"),
    [
        *[(state, 2) for state in ("25P03", "25P04", "57P01")],
        *[(state, 1) for state in ("57P02", "57P03", "08006", "08007", "08P01", "53100", "58030", "XX000", None)],
    ],
)
async def test_what_ends_a_connection_at_commit_says_whether_it_is_repeated(
    session: NewSession,
    commit_with: Callable[[Callable[[], None]], None],
    state: str | None,
    runs: int,
) -> None:
    def be_ended() -> None:
        connection.connection.close()
        raise (psycopg.errors.lookup(state) if state else psycopg.OperationalError)("ended")

    rename = Rename(await session(), lambda: commit_with(be_ended))
    with suppress(Error):
        await database.write(rename)
    assert rename.runs == runs


async def test_a_loss_before_the_commit_is_repeated_whatever_was_said(session: NewSession) -> None:
    def lose() -> None:
        connection.connection.close()
        raise OperationalError("idle-session timeout") from psycopg.errors.IdleSessionTimeout()

    rename = Rename(await session(), lose)
    await database.write(rename)
    assert await rename.title() == "run 2"
