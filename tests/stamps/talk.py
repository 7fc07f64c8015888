"""One session as the tests of stamps handle it: rows in and out by every way there is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from agentcache import Stamp
from sessions_app.models import ChatSession, Message, SessionStamp
from sessions_app.session_store import chats
from tests.stamps.stored import assert_storage_is_true


@dataclass(frozen=True)
class Talk:
    session_id: UUID
    branch_id: UUID
    owner_id: int

    @classmethod
    def of(cls, owner_id: int) -> Talk:
        """A new session of that user."""
        with transaction.atomic():
            session_id = chats.create(owner_id, "").id
        return cls(session_id, ChatSession.objects.get(pk=session_id).active_branch_id, owner_id)

    @property
    def row(self) -> ChatSession:
        return ChatSession.objects.get(pk=self.session_id)

    @property
    def stamp(self) -> Stamp:
        row = SessionStamp.objects.get(pk=self.session_id)
        return Stamp(row.message_count, row.revision)

    def message(self, position: int, text: str = "said", **fields: Any) -> Message:
        """A message of this session that is not stored yet."""
        place = {"chat_session_id": self.session_id, "branch_id": self.branch_id, "owner_id": self.owner_id}
        return Message(position=position, role="user", text=text, **(place | fields))

    def say(self, count: int) -> list[Message]:
        """Store that many messages, from position 0 on."""
        messages = [self.message(position) for position in range(count)]
        for message in messages:
            message.save()
        return messages

    def values(self, position: int, text: str = "raw", **fields: Any) -> dict[str, Any]:
        """The columns of a message for raw SQL."""
        return {
            "public_id": plain(uuid.uuid4()),
            "owner_id": self.owner_id,
            "chat_session_id": plain(self.session_id),
            "branch_id": plain(self.branch_id),
            "position": position,
            "role": "user",
            "text": text,
        } | fields

    @contextmanager
    def moves(self, count: int, revision: int) -> Iterator[None]:
        """Hold that the block moves the stamp by exactly so much, and that all counts are true after it."""
        before = self.stamp
        yield
        after = self.stamp
        assert (after.message_count - before.message_count, after.revision - before.revision) == (count, revision)
        assert after.message_count == Message.objects.filter(chat_session=self.session_id).count()
        assert_storage_is_true()


def plain(value: UUID) -> str | UUID:
    """A UUID as the database's driver takes it."""
    return value.hex if connection.vendor == "sqlite" else value


def execute(sql: str, *params: Any) -> int:
    """Run raw SQL and return the number of rows it says it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def insert(values: dict[str, Any], *, verb: str = "INSERT", conflict: str = "") -> None:
    """Insert a message by raw SQL."""
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    execute(f"{verb} INTO sessions_app_message ({names}) VALUES ({marks}) {conflict}", *values.values())
