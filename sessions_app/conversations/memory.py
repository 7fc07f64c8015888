"""A user's memory, as it is stored, and what a line of a conversation says of it.

``session_store.memory`` changes it. What is *in effect* in a chat is the user's memories, or none where the memory is
switched off: by the user altogether, in this chat, or for its profile.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sessions_app.conversations.memory_schemas import MemoriesShape, MemoryChangeShape, MemoryShape
from sessions_app.database import plain
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.memory import digest_of
from sessions_app.llm.content.parts import Note, Summary
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.models import ChatSession, Memory, MessageKind, UserMemory

# The latest note and the latest summary of a line, by an index each. Fork positions rise along a chain of branches;
# where they do not (damaged data), it ends.
_LATEST = """
WITH RECURSIVE line (id, parent_id, start, ending) AS (
  SELECT id, parent_id, CASE WHEN parent_id IS NULL THEN 0 ELSE fork_position END, %s
  FROM sessions_app_branch WHERE id = %s AND chat_session_id = %s
  UNION ALL
  SELECT branch.id, branch.parent_id, CASE WHEN branch.parent_id IS NULL THEN 0 ELSE branch.fork_position END,
    line.start
  FROM line JOIN sessions_app_branch AS branch ON branch.id = line.parent_id AND branch.chat_session_id = %s
  WHERE CASE WHEN branch.parent_id IS NULL THEN 0 ELSE branch.fork_position END < line.start
)
SELECT message.kind, message.position, message.parts FROM sessions_app_message AS message WHERE message.id IN (
  SELECT (
    SELECT id FROM sessions_app_message WHERE kind = 'note' AND branch_id = line.id AND chat_session_id = %s
    AND position >= line.start AND position < line.ending ORDER BY position DESC LIMIT 1
  ) FROM line
  UNION ALL
  SELECT (
    SELECT id FROM sessions_app_message WHERE kind = 'summary' AND branch_id = line.id AND chat_session_id = %s
    AND position >= line.start AND position < line.ending ORDER BY position DESC LIMIT 1
  ) FROM line
) ORDER BY message.position DESC
"""
_NO_END = 2**63 - 1
# Of a note that does not say what it tells, so that it is told again.
_UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """What a user wants to be remembered, in its order, and whether it is told at all."""

    enabled: bool
    memories: tuple[str, ...]

    @property
    def told(self) -> tuple[str, ...]:
        """What models are told."""
        return self.memories if self.enabled else ()


def read(user_id: int) -> StoredMemory:
    """Return a user's memory; one that was never changed is on, and empty."""
    texts = Memory.objects.filter(owner=user_id).order_by("id").values_list("text", flat=True)
    return StoredMemory(is_enabled(user_id), tuple(texts))


def is_enabled(user_id: int) -> bool:
    """Tell whether a user's memory is not switched off altogether."""
    return not UserMemory.objects.filter(owner=user_id, enabled=False).exists()


def is_on(chat_session: ChatSession) -> bool:
    """Tell whether neither the chat nor its profile has memory switched off; the user may have."""
    profile = chat_session.profile
    return chat_session.memory and profile is not None and profile.memory


def memory_shape(memory: Memory) -> MemoryShape:
    """Return the shape of one memory."""
    return MemoryShape(id=memory.public_id, text=memory.text, created_at=memory.created_at)


def memories_shape(user_id: int) -> MemoriesShape:
    """Return a user's memory as clients see it."""
    memories = Memory.objects.filter(owner=user_id).order_by("id")
    return MemoriesShape(enabled=is_enabled(user_id), memories=[memory_shape(memory) for memory in memories])


def change_shape(user_id: int) -> MemoryChangeShape:
    """Return what is told of a change: no word of what is remembered."""
    return MemoryChangeShape(enabled=is_enabled(user_id), count=Memory.objects.filter(owner=user_id).count())


def digest_told(chat_session: ChatSession) -> str:
    """Return the digest of the memories that the active line tells the model: by its latest note that is sent.

    Without one, by the frozen prefix. One statement, however long and deep the line is. A note that a summary stands in
    the place of is not sent any more.
    """
    session_id = chat_session.pk
    branch_id = chat_session.active_branch_id
    rows = plain.rows(_LATEST, [_NO_END, branch_id, session_id, session_id, session_id, session_id])
    first_sent = _first_sent(rows)
    for kind, position, parts in rows:
        if kind == MessageKind.NOTE and position >= first_sent:
            digest = _digest_of(parts)
            return _UNKNOWN if digest is None else digest
    return _digest_of_prefix(chat_session)


def _first_sent(rows: list[tuple[Any, ...]]) -> int:
    parts = next((parts for kind, _, parts in rows if kind == MessageKind.SUMMARY), None)
    summary = next((part for part in known(_decoded(parts)) if isinstance(part, Summary)), None)
    return summary.before if summary else 0


def _digest_of(parts: object) -> str | None:
    note = next((part for part in known(_decoded(parts)) if isinstance(part, Note)), None)
    return note.memory if note else None


def _digest_of_prefix(chat_session: ChatSession) -> str:
    try:
        return digest_of(FrozenPrefix.from_json(chat_session.frozen_prefix).memories)
    except ValueError:
        return ""  # another program has written what is no prefix


def _decoded(parts: object) -> object:
    """Return a column that was read by a plain statement: as text by SQLite."""
    try:
        return json.loads(parts) if isinstance(parts, str) else parts
    except (ValueError, RecursionError):
        return None
