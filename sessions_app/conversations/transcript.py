"""The only writer of messages to a session that exists (``session_store.forking`` fills new ones).

Two rules make a write safe, and both hold inside one transaction. The *session's lock* (its
stamp row, taken by ``access.chat_session(lock=True)``) orders all our writers of a session, so
positions are assigned one after the other. The *fence* makes the write conditional on the
turn still being ours: a process that lost its turn, however long it slept, changes no row.

Whoever appends gets back the stamp just before and just after: the difference is exactly what
it wrote itself, because the lock keeps other writers out and the database's triggers count. If the revision
last told to clients was the one before, it becomes the one after; else a foreign write is still untold, and it stays.
A write by another program without our lock still waits for the stamp row, which the first
trigger that fires holds until commit. So a baseline may be advanced from ``old`` to ``new``
wherever it equals ``old``, and must be left alone everywhere else.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from agentcache import Stamp
from sessions_app.conversations import branches, line_digests, turn_status
from sessions_app.database import plain
from sessions_app.database.prepared import insert, update
from sessions_app.llm.content.codec import encode
from sessions_app.llm.content.parts import Parts
from sessions_app.models import ChatSession, Message, MessageStatus, SessionStamp, Turn, TurnStatus

_ROWS_AT_ONCE = 500
_STAMP = "SELECT message_count, revision FROM sessions_app_sessionstamp WHERE chat_session_id = %s"
# Where another program has written before, that stays untold.
_MARK_AS_TOLD = """
UPDATE sessions_app_sessionstamp
SET told_revision = CASE WHEN told_revision = %s THEN revision ELSE told_revision END
WHERE chat_session_id = %s RETURNING message_count, revision
"""
_OURS = "id = %s AND claim = %s AND status = %s"


class OwnershipLost(Exception):
    """The turn is no longer this claim's: another process took it, or it is gone."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A row to append; its position is given out by the append."""

    role: str
    text: str
    parts: Parts = ()
    status: str = MessageStatus.COMPLETE
    public_id: UUID = field(default_factory=uuid.uuid4)
    finish: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Appended:
    """The rows as stored, with the stamp just before and just after them."""

    messages: tuple[Message, ...]
    old: Stamp
    new: Stamp


def stamp_of(chat_session: ChatSession) -> Stamp:
    """Return the stamp that was loaded with a session, or noted since."""
    return Stamp(chat_session.stamp.message_count, chat_session.stamp.revision)


def read_stamp(chat_session: ChatSession) -> Stamp:
    """Return the live stamp. Raises OwnershipLost where the session is gone."""
    return _noted(chat_session, plain.rows(_STAMP, [chat_session.pk]))


def mark_as_told(chat_session: ChatSession) -> Stamp:
    """Return the stamp after a change of our own, which clients are told by facts: no other program has made it.

    The caller holds the session's lock, and ``chat_session`` has the stamp from before the change. Raises
    OwnershipLost.
    """
    return _noted(chat_session, plain.rows(_MARK_AS_TOLD, [chat_session.stamp.revision, chat_session.pk]))


def _noted(chat_session: ChatSession, found: list[tuple[Any, ...]]) -> Stamp:
    if not found:
        raise OwnershipLost
    [(count, revision)] = found
    chat_session.stamp = SessionStamp(chat_session_id=chat_session.pk, message_count=count, revision=revision)
    return Stamp(count, revision)


def write_fenced(turn: Turn, *, status: str | None = None, **columns: Any) -> None:
    """The fence: write columns of a turn, and its heartbeat, only while it is claimed by us. Raises OwnershipLost.

    ``status`` ends it.
    """
    if status is not None:
        turn_status.check(TurnStatus.RUNNING, status)
        columns["status"] = status
    columns.setdefault("heartbeat_at", Now())
    if not update(Turn, columns, _OURS, _claim_of(turn)):
        raise OwnershipLost


def check_claim(turn: Turn) -> None:
    """Make sure that the turn is still ours in the snapshot that is being read. Raises OwnershipLost."""
    if not plain.rows(f"SELECT 1 FROM sessions_app_turn WHERE {_OURS}", _claim_of(turn)):  # nosec B608: all ours
        raise OwnershipLost


def _claim_of(turn: Turn) -> list[Any]:
    return [turn.pk, turn.claim, TurnStatus.RUNNING.value]


def append(chat_session: ChatSession, turn: Turn, rows: Sequence[NewMessage], **columns: Any) -> Appended:
    """Append rows to the active branch and write columns of the turn, fenced by the turn's claim.

    The caller holds the session's lock and has loaded the session, with its stamp, under it.
    Raises OwnershipLost, and then nothing was written.
    """
    write_fenced(turn, **columns)
    return append_claimed(chat_session, turn, rows)


def append_claimed(chat_session: ChatSession, turn: Turn | None, rows: Sequence[NewMessage]) -> Appended:
    """Append rows for a turn that was claimed, or held, in this very transaction; else for a person's command."""
    old = stamp_of(chat_session)
    messages = _made(chat_session, turn, rows)
    for message in messages:
        insert(message)  # reads created_at back, which bulk_create does not
    return Appended(tuple(messages), old, mark_as_told(chat_session))


def append_history(chat_session: ChatSession, rows: Sequence[NewMessage]) -> Appended:
    """Append what was said elsewhere, however much. Under the session's lock."""
    old = stamp_of(chat_session)
    messages = Message.objects.bulk_create(_made(chat_session, None, rows), batch_size=_ROWS_AT_ONCE)
    return Appended(tuple(messages), old, mark_as_told(chat_session))


def _made(chat_session: ChatSession, turn: Turn | None, rows: Sequence[NewMessage]) -> list[Message]:
    position = branches.next_position(chat_session)
    said = [line_digests.said_by(row.role, row.kind, row.text, row.parts) for row in rows]
    digests = line_digests.next_digests(chat_session, said)
    return [
        Message(
            public_id=row.public_id,
            owner_id=chat_session.owner_id,
            chat_session=chat_session,
            branch_id=chat_session.active_branch_id,
            position=position + offset,
            role=row.role,
            text=row.text,
            parts=encode(row.parts),
            status=row.status,
            finish=row.finish,
            kind=row.kind,
            turn=turn,
            line_digest=digest,
        )
        for offset, (row, digest) in enumerate(zip(rows, digests, strict=True))
    ]
