"""What other programs change is told once, whoever looks, and what we write ourselves is never taken for theirs."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db import connection
from django.db.models.functions import Now

from sessions_app import database, journal
from sessions_app.conversations import access, transcript
from sessions_app.conversations.transcript import NewMessage
from sessions_app.journal import foreign
from sessions_app.models import (
    AgentProfile,
    Branch,
    ChatSession,
    JournalEntry,
    JournalHead,
    Message,
    MessageRole,
    SessionStamp,
    Turn,
)
from sessions_app.realtime import remote_runs
from sessions_app.session_store import chats
from tests.journal.facts import at_once, create, names, told
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.stamps.talk import plain
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.foreign import foreign as foreign_database
from tests.turns.host import Host, within

CHANGED = "transcript.changed"


class Talk:
    """A session with two messages, as another program sees it."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.id = create(user_id)
        self.say_ourselves()
        self.say_ourselves()
        self.cursor = journal.head(user_id)

    @property
    def row(self) -> ChatSession:
        return access.chat_session(self.user_id, self.id)

    def say_ourselves(self) -> None:
        """Append a message by our own hand. Its fact is the caller's business: here nobody tells it."""

        def work() -> None:
            chat_session = access.chat_session(self.user_id, self.id, lock=True)
            owner = {"owner_id": self.user_id, "message_id": uuid.uuid4()}
            turn = Turn.objects.create(chat_session=chat_session, text="", status="stopped", ended_at=Now(), **owner)
            transcript.append_claimed(chat_session, turn, [NewMessage(MessageRole.USER, "ours")])

        journal.recorded(work)

    def insert(self) -> None:
        foreign_database().run(
            "INSERT INTO sessions_app_message (public_id, owner_id, chat_session_id, branch_id, position, role, text)"
            " VALUES (%s, %s, %s, %s, %s, 'user', 'theirs')",
            plain(uuid.uuid4()), self.user_id, plain(self.id), plain(self.row.active_branch_id), 1_000,
        )  # fmt: skip

    def update(self) -> None:
        foreign_database().run("UPDATE sessions_app_message SET text = 'theirs' WHERE chat_session_id = %s", *self._id)

    def delete_a_message(self) -> None:
        last = Message.objects.filter(chat_session_id=self.id).latest("position")
        foreign_database().run("DELETE FROM sessions_app_message WHERE id = %s", last.pk)

    def switch(self) -> None:
        branch = Branch.objects.create(chat_session_id=self.id, parent_id=self.row.active_branch_id, fork_position=1)
        foreign_database().run(
            "UPDATE sessions_app_chatsession SET active_branch_id = %s WHERE id = %s", plain(branch.pk), *self._id
        )

    def delete(self) -> None:
        """Delete the session with its rows; on PostgreSQL in one statement, because there foreign keys are kept."""
        columns = {"message": "chat_session_id", "turn": "chat_session_id", "branch": "chat_session_id"}
        columns["chatsession"] = "id"
        statements = [f"DELETE FROM sessions_app_{table} WHERE {column} = %s" for table, column in columns.items()]
        if connection.vendor == "postgresql":
            *rows, last = statements
            first = ", ".join(f"rows_{number} AS ({sql})" for number, sql in enumerate(rows))
            foreign_database().run(f"WITH {first} {last}", *self._id * len(statements))
        else:
            for sql in statements:
                foreign_database().run(sql, *self._id)

    @property
    def _id(self) -> tuple[Any]:
        return (plain(self.id),)

    def names(self) -> list[str]:
        return names(self.user_id, self.cursor)


@pytest.fixture
def talk(user: AbstractUser) -> Talk:
    return Talk(user.pk)


def look() -> None:
    """What each process does once a second."""
    if found := foreign.find():
        journal.recorded(foreign.tell, found)


def look_for_gone(*sessions: tuple[int, UUID]) -> None:
    if gone := foreign.gone(sessions):
        journal.recorded(foreign.tell_gone, gone)


WRITES = [Talk.insert, Talk.update, Talk.delete_a_message, Talk.switch]


@pytest.mark.parametrize("write", WRITES)
def test_a_change_by_raw_sql_is_told_once(talk: Talk, write: Callable[[Talk], None]) -> None:
    write(talk)
    for _ in range(3):
        look()
    [(name, value)] = told(talk.user_id, talk.cursor)
    assert name == CHANGED
    assert (value.session_id, value.revision) == (talk.id, talk.row.stamp.revision)


@pytest.mark.parametrize("write", WRITES)
def test_a_change_is_told_once_by_two_that_look_at_once(talk: Talk, write: Callable[[Talk], None]) -> None:
    write(talk)
    found = foreign.find()
    assert found == [(talk.user_id, talk.id)]
    at_once([lambda: journal.recorded(foreign.tell, found)] * 2)
    assert talk.names() == [CHANGED]


@pytest.mark.parametrize(
    "ours", [*(pytest.param(ours, marks=pytest.mark.one_database) for ours in ("before", "after")), "both"]
)
@pytest.mark.parametrize("write", WRITES)
def test_a_change_is_told_once_though_we_write_as_well(talk: Talk, write: Callable[[Talk], None], ours: str) -> None:
    if ours != "after":
        talk.say_ourselves()
    write(talk)
    if ours != "before":
        talk.say_ourselves()
    for _ in range(2):
        look()
        talk.say_ourselves()
    assert talk.names() == [CHANGED]


def test_each_change_after_a_look_is_told_anew(talk: Talk) -> None:
    for _ in range(3):
        talk.update()
        look()
    assert talk.names() == [CHANGED] * 3


def test_several_changes_between_two_looks_are_told_together(talk: Talk) -> None:
    talk.insert()
    talk.update()
    talk.delete_a_message()
    look()
    assert talk.names() == [CHANGED]


def test_our_own_writes_move_the_revision_that_was_told(talk: Talk) -> None:
    stamp = SessionStamp.objects.get(pk=talk.id)
    assert 0 < stamp.told_revision == stamp.revision
    talk.say_ourselves()
    after = SessionStamp.objects.get(pk=talk.id)
    assert after.told_revision == after.revision > stamp.revision


async def test_turns_and_commands_of_our_own_are_not_taken_for_changes(
    host: Host, user: AbstractUser, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer(["6 "], calls=[Call("calculator", '{"expression": "1+1"}')]), Answer(["2"]), Answer(["3"]))
    chat = await session()
    await host.turn(chat)
    await host.turn(chat)
    await host.runner.publisher.write(database, chats.update, user.pk, chat, {"title": "another"})
    await database.write(lambda: AgentProfile.objects.update(system_prompt="another"))
    await host.runner.publisher.write(database, chats.apply_profile, user.pk, chat)
    assert await database.read(foreign.find) == []
    assert CHANGED not in await database.read(names, user.pk)


def test_a_new_session_is_not_taken_for_a_change(user: AbstractUser) -> None:
    create(user.pk)
    assert foreign.find() == []


def test_sessions_of_one_user_are_found_apart(talk: Talk) -> None:
    other = Talk(get_user_model().objects.create_user("other").pk)
    talk.update()
    other.update()
    assert foreign.find(talk.user_id) == [(talk.user_id, talk.id)]
    assert sorted(foreign.find()) == sorted([(talk.user_id, talk.id), (other.user_id, other.id)])


def test_a_session_that_cannot_be_read_keeps_no_other_from_being_told(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that keeps no foreign keys has let it have a branch that is not there; SQLite allows that."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM sessions_app_branch WHERE id = %s", [talk.row.active_branch_id])
            cursor.execute("SET session_replication_role = origin")
        talk.update()
    else:
        foreign_database().run("DELETE FROM sessions_app_branch WHERE chat_session_id = %s", plain(talk.id))
    monkeypatch.setattr(foreign, "STEP_SESSIONS", 1)
    others = [Talk(talk.user_id) for _ in range(3)]
    for other in others:
        other.update()
    for _ in range(5):
        look()
    assert foreign.find() == []
    assert [value.session_id for name, value in told(talk.user_id) if name == CHANGED and value] == sorted(
        other.id for other in others
    )
    # It has no rest: the tests' rows are checked when they are removed.
    Message.objects.filter(chat_session_id=talk.id).delete()
    ChatSession.objects.filter(pk=talk.id).delete()


def test_a_session_deleted_by_raw_sql_is_told_once(talk: Talk) -> None:
    is_open = (talk.user_id, talk.id)
    look_for_gone(is_open)
    talk.delete()
    for _ in range(3):
        look_for_gone(is_open)
        look()
    assert told(talk.user_id, talk.cursor) == [("session.deleted", str(talk.id))]


@pytest.mark.parametrize("has_head", [True, False])
def test_a_deleted_session_is_told_once_by_two_that_look_at_once(talk: Talk, has_head: bool) -> None:
    """Without a head: a user of whom nothing was told since there is a journal."""
    talk.delete()
    if not has_head:
        JournalHead.objects.all().delete()
        JournalEntry.objects.all().delete()
    gone = foreign.gone([(talk.user_id, talk.id)])
    assert gone == [(talk.user_id, talk.id)]
    at_once([lambda: journal.recorded(foreign.tell_gone, gone)] * 2)
    assert names(talk.user_id).count("session.deleted") == 1


async def test_a_session_deleted_by_ourselves_is_told_once(
    new_host: NewHost, user: AbstractUser, session: NewSession
) -> None:
    here, there = await new_host(), await new_host()
    chat = await session()
    for host in (here, there):
        await host.open(chat)
    await here.runner.service.delete_session(user.pk, chat)
    for _ in range(2):
        for host in (here, there):
            await host.runner.supervisor.poll()
    assert (await database.read(names, user.pk)).count("session.deleted") == 1


async def test_the_poll_tells_all_processes_of_a_change(
    new_host: NewHost, user: AbstractUser, session: NewSession
) -> None:
    hosts = [await new_host(), await new_host()]
    chat = await session()
    for host in hosts:
        await host.runner.supervisor.stop()
    sql = "UPDATE sessions_app_sessionstamp SET revision = revision + 1 WHERE chat_session_id = %s"
    await within(asyncio.to_thread(foreign_database().run, sql, plain(chat)))
    for host in hosts:
        await host.runner.supervisor.poll()
    for host in hosts:
        assert (await host.listener.fact(CHANGED))["session_id"] == str(chat)
        assert host.listener.facts().count(CHANGED) == 1


async def test_a_deleted_session_is_not_told_again_when_that_fact_is_no_longer_kept(
    host: Host, user: AbstractUser, session: NewSession
) -> None:
    chat = await session()
    await host.open(chat)
    await host.runner.service.delete_session(user.pk, chat)
    await host.listener.fact("session.deleted")
    await database.write(lambda: JournalEntry.objects.all().delete())
    for _ in range(2):
        await host.runner.supervisor.poll()
    assert host.listener.facts().count("session.deleted") == 1
    assert await database.read(names, user.pk, await database.read(journal.head, user.pk)) == []


# Plans


def plans_of(work: Callable[[], Any]) -> dict[str, str]:
    """Each statement of some work, with its plan."""
    asked: list[tuple[str, Any]] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        work()
    return {sql: _plan(sql, params) for sql, params in asked}


def _plan(sql: str, params: Any) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}", params)
            rows = cursor.fetchall()
            cursor.execute("RESET enable_seqscan")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            rows = cursor.fetchall()
    return "\n".join(str(row[-1]) for row in rows)


def test_every_statement_of_the_poll_has_an_index(talk: Talk) -> None:
    def poll() -> None:
        foreign.find()
        foreign.find(talk.user_id)
        foreign.gone([(talk.user_id, talk.id), (talk.user_id, uuid.uuid4())])
        journal.heads([talk.user_id])
        journal.after(talk.user_id, 0, 200)
        remote_runs._checkpoints([uuid.uuid4()])

    plans = plans_of(poll)
    assert len(plans) >= 7
    for sql, plan in plans.items():
        # An index is read whole only where it has nothing but what is looked for.
        whole = re.findall(r"Seq Scan on sessions_app_.*|^SCAN (?!.*stamp_untold).*", plan, re.MULTILINE)
        assert whole == [], f"{sql}\n{plan}"


def test_looking_for_changes_costs_by_these_alone(talk: Talk) -> None:
    [plan] = plans_of(foreign.find).values()
    assert "stamp_untold" in plan
