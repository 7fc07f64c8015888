"""What others do to a session behind our backs: each by the ORM or by raw SQL, each in one transaction.

A write tells what it did to what was sent before: nothing, or it only said more (`APPENDED`), or anything else.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from enum import Enum, auto
from typing import Any
from uuid import UUID

from django.db import connection

from sessions_app.conversations import access
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.models import Branch, ChatSession, Message
from sessions_app.session_store.chats import refreeze
from tests.guard.oracle import line_of
from tests.stamps.talk import execute, plain


class Effect(Enum):
    NOTHING = auto()
    APPENDED = auto()
    REWRITTEN = auto()


Write = Callable[["Elsewhere"], Effect]


class Elsewhere:
    """Another program's view of one session; `chance` makes its choices."""

    def __init__(self, session_id: UUID, chance: random.Random) -> None:
        self.session = ChatSession.objects.get(pk=session_id)
        self.chance = chance
        self.branches = {branch.pk: branch for branch in Branch.objects.filter(chat_session=session_id)}
        self.all = list(Message.objects.filter(chat_session=session_id).order_by("pk"))
        self.line = line_of(self.branches[self.session.active_branch_id], self.branches, self.all)

    def text(self) -> str:
        return f"elsewhere {self.chance.getrandbits(32):08x} äöü"

    def end(self) -> int:
        """The first position behind the line, and not before the active branch begins."""
        last = self.line[-1].position + 1 if self.line else 0
        return max(last, self.branches[self.session.active_branch_id].fork_position)

    def append(self, role: str, text: str, parts: Any = None, status: str = "complete") -> Effect:
        Message.objects.create(
            owner_id=self.session.owner_id,
            chat_session=self.session,
            branch_id=self.session.active_branch_id,
            position=self.end(),
            role=role,
            text=text,
            parts=parts,
            status=status,
        )
        return Effect.APPENDED

    def some(self) -> Message | None:
        return self.chance.choice(self.line) if self.line else None

    def said(self) -> Message | None:
        """One that is no note: what a note says is what its parts say that it does."""
        choice = [message for message in self.line if not message.kind]
        return self.chance.choice(choice) if choice else None

    def rewrite(self, sql: str, *params: Any) -> Effect:
        return Effect.REWRITTEN if execute(sql, *params) else Effect.NOTHING


def say(other: Elsewhere) -> Effect:
    return other.append("user", other.text())


def answer(other: Elsewhere) -> Effect:
    return other.append("assistant", other.text(), status=other.chance.choice(["complete", "stopped", "failed"]))


def answer_nothing(other: Elsewhere) -> Effect:
    return other.append("assistant", " ", status="interrupted")


def call_a_tool(other: Elsewhere) -> Effect:
    """A call that never gets its result."""
    call = {"kind": "call", "id": f"c{other.chance.getrandbits(32)}", "name": "calculator", "arguments": "{}"}
    return other.append("assistant", "", [call])


def result_of_no_call(other: Elsewhere) -> Effect:
    return other.append("tool", "7", [{"kind": "result", "id": "nobody's", "name": "calculator"}])


def insert_by_sql(other: Elsewhere) -> Effect:
    execute(
        "INSERT INTO sessions_app_message (public_id, owner_id, chat_session_id, branch_id, position, role, text)"
        " VALUES (%s, %s, %s, %s, %s, 'user', %s)",
        plain(uuid.uuid4()), other.session.owner_id, plain(other.session.pk), plain(other.session.active_branch_id),
        other.end(), other.text(),
    )  # fmt: skip
    return Effect.APPENDED


def edit(other: Elsewhere) -> Effect:
    if (message := other.said()) is None:
        return Effect.NOTHING
    message.text = other.text()
    message.save()
    return Effect.REWRITTEN


def edit_by_sql(other: Elsewhere) -> Effect:
    if (message := other.said()) is None:
        return Effect.NOTHING
    return other.rewrite("UPDATE sessions_app_message SET text = %s WHERE id = %s", other.text(), message.pk)


def forget_the_parts(other: Elsewhere) -> Effect:
    return other.rewrite(
        "UPDATE sessions_app_message SET parts = NULL WHERE chat_session_id = %s AND parts IS NOT NULL",
        plain(other.session.pk),
    )


def undo(other: Elsewhere) -> Effect:
    if not other.line:
        return Effect.NOTHING
    other.line[-1].delete()
    return Effect.REWRITTEN


def undo_and_say(other: Elsewhere) -> Effect:
    """The count is what it was."""
    if not other.line:
        return Effect.NOTHING
    other.line.pop().delete()
    say(other)
    return Effect.REWRITTEN


def delete_one(other: Elsewhere) -> Effect:
    if (message := other.some()) is None:
        return Effect.NOTHING
    return other.rewrite("DELETE FROM sessions_app_message WHERE id = %s", message.pk)


def delete_all(other: Elsewhere) -> Effect:
    return other.rewrite("DELETE FROM sessions_app_message WHERE chat_session_id = %s", plain(other.session.pk))


def put_in_its_place(other: Elsewhere) -> Effect:
    """SQLite's REPLACE deletes without a trigger; PostgreSQL has ON CONFLICT."""
    if (message := other.some()) is None:
        return Effect.NOTHING
    sqlite = connection.vendor == "sqlite"
    execute(
        f"{'REPLACE' if sqlite else 'INSERT'} INTO sessions_app_message"
        " (public_id, owner_id, chat_session_id, branch_id, position, role, text) VALUES (%s, %s, %s, %s, %s, %s, %s)"
        + ("" if sqlite else " ON CONFLICT (branch_id, position) DO UPDATE SET text = excluded.text"),
        plain(uuid.uuid4()), message.owner_id, plain(message.chat_session_id), plain(message.branch_id),
        message.position, message.role, other.text(),
    )  # fmt: skip
    return Effect.REWRITTEN


def fork(other: Elsewhere) -> Effect:
    """What editing a message does: another line begins somewhere in this one, and is shown."""
    if (message := other.some()) is None:
        return Effect.NOTHING
    parent = other.branches[other.session.active_branch_id]
    while parent.parent_id is not None and message.position <= parent.fork_position:
        parent = other.branches[parent.parent_id]
    branch = Branch.objects.create(chat_session=other.session, parent=parent, fork_position=message.position)
    ChatSession.objects.filter(pk=other.session.pk).update(active_branch=branch)
    return Effect.REWRITTEN


def switch(other: Elsewhere) -> Effect:
    """Show any of the lines there are."""
    branch = other.chance.choice(sorted(other.branches))
    if branch == other.session.active_branch_id:
        return Effect.NOTHING
    ChatSession.objects.filter(pk=other.session.pk).update(active_branch=branch)
    return Effect.REWRITTEN


def freeze_anew(other: Elsewhere) -> Effect:
    prefix = FrozenPrefix(other.text(), ())
    ChatSession.objects.filter(pk=other.session.pk).update(frozen_prefix=prefix.to_json())
    return Effect.REWRITTEN


def apply_the_profile(other: Elsewhere) -> Effect:
    return (
        Effect.REWRITTEN if refreeze(access.chat_session(other.session.owner_id, other.session.pk)) else Effect.NOTHING
    )


def rename(other: Elsewhere) -> Effect:
    ChatSession.objects.filter(pk=other.session.pk).update(title=other.text(), pinned=True)
    return Effect.NOTHING


WRITES: list[Write] = [
    say, answer, answer_nothing, call_a_tool, result_of_no_call, insert_by_sql, edit, edit_by_sql, forget_the_parts,
    undo, undo_and_say, delete_one, delete_all, put_in_its_place, fork, switch, freeze_anew, apply_the_profile, rename,
]  # fmt: skip


def write(session_id: UUID, number: int) -> Effect:
    """Do the write of that number; the same number does the same to the same rows."""
    return WRITES[number % len(WRITES)](Elsewhere(session_id, random.Random(number)))
