"""Random statements, by the ORM and by raw SQL, in random order: the stamp tells exactly what changed.

So does the index of search, which at any time holds each message or knows that it does not; and what is counted of each
user's storage is what there is.

The oracle knows no triggers. It reads every row that makes up a session's transcript before and after each statement:
the count must be the number of rows, and the revision must have risen where something is different, and nowhere else.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcache import Stamp
from sessions_app.conversations.search import index
from sessions_app.models import Branch, ChatSession, Message, SessionStamp, Turn
from tests.examples import fewer_on_postgresql
from tests.search.oracle import assert_invariant
from tests.stamps.stored import assert_storage_is_true
from tests.stamps.talk import Talk, execute, insert, plain

pytestmark = pytest.mark.django_db

Statement = Callable[["World"], object]


class World:
    """Two sessions of one user, and another user; `chance` makes each statement's choices."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        user = get_user_model().objects.create_user(uuid.uuid4().hex)
        self.users = [user.pk, get_user_model().objects.create_user(uuid.uuid4().hex).pk]
        self.talks = [Talk.of(user.pk), Talk.of(user.pk)]
        for talk in self.talks:
            Branch.objects.create(chat_session_id=talk.session_id)
        self.words = 0

    def fresh(self) -> str:
        """A text that was never said, so that no update changes nothing."""
        self.words += 1
        return f"words {self.words}"

    def talk(self) -> Talk:
        return self.chance.choice(self.talks)

    def place(self) -> int:
        return self.chance.randrange(4)

    def message(self) -> Message:
        return self.talk().message(self.place(), self.fresh())

    def some(self) -> dict[str, Any]:
        """A filter for some messages."""
        return {"chat_session": self.talk().session_id, "position__gte": self.place()}


@dataclass(frozen=True)
class State:
    """By session: all that makes up its transcript, the number of its rows, and its stamp."""

    content: dict[uuid.UUID, object]
    counts: dict[uuid.UUID, int]
    stamps: dict[uuid.UUID, Stamp]

    @classmethod
    def of(cls, world: World) -> State:
        ids = [talk.session_id for talk in world.talks]
        sessions = ChatSession.objects.filter(pk__in=ids).values("pk", "active_branch", "frozen_prefix")
        branches = list(Branch.objects.filter(chat_session__in=ids).order_by("pk").values())
        messages = list(Message.objects.filter(chat_session__in=ids).order_by("pk").values())
        return cls(
            {
                row["pk"]: (row, [rows for rows in (*branches, *messages) if rows["chat_session_id"] == row["pk"]])
                for row in sessions
            },
            {pk: sum(message["chat_session_id"] == pk for message in messages) for pk in ids},
            {
                row.pk: Stamp(row.message_count, row.revision)
                for row in SessionStamp.objects.filter(chat_session__in=ids)
            },
        )


def by_sql(world: World, **fields: Any) -> dict[str, Any]:
    return world.talk().values(world.place(), world.fresh(), **fields)


def taken_id(world: World) -> dict[str, Any]:
    """A new row that bears the public id of another, where there is one."""
    ids = list(Message.objects.filter(owner=world.talks[0].owner_id).order_by("pk").values_list("public_id", flat=True))
    return by_sql(world, public_id=plain(world.chance.choice(ids or [uuid.uuid4()])))


def move(world: World) -> None:
    goal = world.talk()
    Message.objects.filter(**world.some()).update(
        chat_session=goal.session_id, branch=goal.branch_id, text=world.fresh()
    )


def switch(world: World) -> None:
    """Show the other line of a session: each has two."""
    chat_session = world.talk().row
    chat_session.active_branch = chat_session.branches.exclude(pk=chat_session.active_branch_id).get()
    chat_session.save()


def fork_elsewhere(world: World) -> None:
    world.words += 1
    Branch.objects.filter(chat_session=world.talk().session_id, parent=None).update(fork_position=world.words)


def give_away(world: World) -> None:
    """Make a session the other user's, or this one's again. Of its stamp nothing changes."""
    ChatSession.objects.filter(pk=world.talk().session_id).update(owner=world.chance.choice(world.users))


def replace_session(world: World) -> None:
    """Write a session's row again, as another user's perhaps, by a statement that fires no delete trigger."""
    names = ", ".join(str(field.column) for field in ChatSession._meta.concrete_fields)
    values = names.replace("owner_id", "%s").replace("frozen_prefix", "%s")
    new = world.chance.choice(world.users), world.fresh()
    old = plain(world.talk().session_id)
    execute(
        f"REPLACE INTO sessions_app_chatsession ({names}) SELECT {values} FROM sessions_app_chatsession WHERE id = %s",
        *new,
        old,
    )


def ask(world: World) -> None:
    Turn.objects.create(
        owner_id=world.chance.choice(world.users),
        chat_session_id=world.talk().session_id,
        message_id=uuid.uuid4(),
        text=world.fresh(),
        status=world.chance.choice(["queued", "withdrawn", "complete"]),
    )


def change_turns(world: World) -> None:
    new = world.chance.choice([{"status": "queued"}, {"status": "stopped"}, {"text": world.fresh()}])
    Turn.objects.filter(chat_session=world.talk().session_id).update(**new)


def rolled_back(world: World) -> None:
    with transaction.atomic():
        world.chance.choice(COMMON)(world)
        transaction.set_rollback(True)


COMMON: list[Statement] = [
    lambda world: world.message().save(),
    lambda world: Message.objects.bulk_create([world.message(), world.message()]),
    lambda world: Message.objects.bulk_create([world.message(), world.message()], ignore_conflicts=True),
    lambda world: Message.objects.bulk_create(
        [world.message()],
        update_conflicts=True,
        unique_fields=["branch", "position"],
        update_fields=["text"],
    ),
    lambda world: Message.objects.filter(**world.some()).update(text=world.fresh()),
    lambda world: Message.objects.filter(**world.some()).delete(),
    lambda world: ChatSession.objects.filter(pk=world.talk().session_id).update(title=world.fresh()),
    lambda world: ChatSession.objects.filter(pk=world.talk().session_id).update(frozen_prefix=world.fresh()),
    move,
    switch,
    fork_elsewhere,
    give_away,
    ask,
    change_turns,
    lambda world: Turn.objects.filter(chat_session=world.talk().session_id).delete(),
    lambda world: Message.objects.filter(**world.some()).update(parts=[{"kind": "thought", "text": world.fresh()}]),
    lambda world: insert(by_sql(world)),
    lambda world: insert(taken_id(world)),
    lambda world: insert(by_sql(world), conflict="ON CONFLICT DO NOTHING"),
    lambda world: execute("UPDATE sessions_app_message SET text = %s WHERE position = 1", world.fresh()),
    lambda world: execute("UPDATE sessions_app_message SET position = position + 1, text = %s", world.fresh()),
    lambda world: execute("DELETE FROM sessions_app_message WHERE position = %s", world.place()),
    lambda world: index.catch_up(),
]
SQLITE: list[Statement] = [
    replace_session,
    lambda world: insert(by_sql(world), verb="REPLACE"),
    lambda world: insert(taken_id(world), verb="INSERT OR REPLACE"),
    lambda world: insert(taken_id(world), verb="INSERT OR IGNORE"),
    lambda world: execute(
        "UPDATE OR REPLACE sessions_app_message SET position = 1, text = %s WHERE position = 2", world.fresh()
    ),
    lambda world: execute(
        "UPDATE OR IGNORE sessions_app_message SET position = 2, text = %s WHERE position = 3", world.fresh()
    ),
]
POSTGRESQL: list[Statement] = [
    lambda world: execute("UPDATE sessions_app_message SET id = id + 1000000, text = %s", world.fresh()),
    lambda world: insert(
        by_sql(world), conflict="ON CONFLICT (branch_id, position) DO UPDATE SET text = excluded.text"
    ),
]


def statements() -> list[Statement]:
    special = SQLITE if connection.vendor == "sqlite" else POSTGRESQL
    return [*COMMON, *special, rolled_back]


@settings(
    max_examples=fewer_on_postgresql(16),
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 999), min_size=5, max_size=25))
def test_the_stamp_tells_exactly_what_changed(db: None, chance: random.Random, choices: list[int]) -> None:
    with transaction.atomic():
        world = World(chance)
        if connection.vendor == "postgresql":
            execute("SET CONSTRAINTS ALL IMMEDIATE")  # TRUNCATE waits for no deferred ones
        before = State.of(world)
        for choice in choices:
            attempt(statements()[choice % len(statements())], world)
            after = State.of(world)
            judge(before, after)
            assert_invariant()
            assert_storage_is_true()
            before = after
        transaction.set_rollback(True)


def attempt(statement: Statement, world: World) -> None:
    """Run a statement; what the database refuses leaves nothing behind."""
    with suppress(IntegrityError), transaction.atomic():
        statement(world)


def judge(before: State, after: State) -> None:
    for session_id, stamp in after.stamps.items():
        was = before.stamps[session_id]
        assert stamp.message_count == after.counts[session_id]
        assert stamp.revision >= was.revision
        assert (stamp.revision > was.revision) == (after.content[session_id] != before.content[session_id])
