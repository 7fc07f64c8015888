"""The only door to a row: yours, or not found.

Every command names rows by ids that came from outside. Nothing else in the project looks a row
up by such an id without its owner, so that someone else's row is answered exactly like a missing one. So is a row that
the caller's token does not reach (``reach``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from sessions_app.conversations.reach import clause, reached
from sessions_app.database import plain
from sessions_app.database.prepared import Selection
from sessions_app.database.users import of_users
from sessions_app.errors import NotFound
from sessions_app.models import ChatSession, Message, Turn, TurnKind

# The stamp's row first; the session's own as well, because a rename takes no other lock.
_LOCK = """
SELECT 1 FROM sessions_app_sessionstamp AS stamp
JOIN sessions_app_chatsession AS chat_session ON chat_session.id = stamp.chat_session_id
WHERE stamp.chat_session_id = %s AND chat_session.owner_id = %s
FOR UPDATE OF stamp FOR NO KEY UPDATE OF chat_session
"""

_SESSIONS = Selection(ChatSession, "stamp", "profile", "active_branch")
_OWN = "sessions_app_chatsession.id = %s AND sessions_app_chatsession.owner_id = %s"

RESPONSES = (TurnKind.MESSAGE, TurnKind.EDIT, TurnKind.REGENERATION, TurnKind.RESUMPTION)
"""Turns that bring an answer."""

_USER = """
SELECT own.is_active, memory.digest, EXISTS (
  SELECT 1 FROM sessions_app_budget AS budget WHERE budget.user_id = own.id OR budget.group_id IN (
    SELECT group_id FROM {memberships} WHERE {member} = own.id
  )
) FROM {users} AS own
LEFT JOIN sessions_app_usermemory AS memory ON memory.owner_id = own.id WHERE own.id = %s
"""


@dataclass(frozen=True, slots=True)
class ActingUser:
    """A user who may act. ``memory`` is the digest of what models are told of theirs; None where there never was one.

    ``has_budget``: there is one that binds them, their own or a group's.
    A change that was committed while the lock was waited for may be missing in it.
    """

    id: int
    memory: str | None
    has_budget: bool = False


def lock_user(user_id: int) -> ActingUser | None:
    """Return the user who may act, which then stays so until the transaction ends. Comes after the session's lock.

    On PostgreSQL the row's lock lets one transaction of a user wait for another, a deactivation among them.
    (SQLite's transactions begin IMMEDIATE: there the whole database is locked already.)
    """
    lock = " FOR NO KEY UPDATE OF own" if connection.features.has_select_for_update else ""
    for is_active, digest, has_budget in plain.rows(of_users(_USER + lock), [user_id]):
        return ActingUser(user_id, digest, bool(has_budget)) if is_active else None
    return None


def require_user(user_id: int) -> ActingUser:
    """Have the user's other requests wait for this one. Raises NotFound where the user may no longer act."""
    if (user := lock_user(user_id)) is None:
        raise NotFound
    return user


def message(user_id: int, message_id: UUID) -> Message:
    """Return one of the user's messages. Raises NotFound."""
    try:
        rows = reached(Message.objects.all(), "chat_session__profile")
        return rows.get(owner_id=user_id, public_id=message_id, chat_session__owner_id=user_id)
    except Message.DoesNotExist:
        raise NotFound from None


def response_turn(user_id: int, run_id: UUID, *, even_temporary: bool = False) -> Turn:
    """Return one of the user's turns that OpenAI's API tells as a response, with its session. Raises NotFound.

    Not one whose response was deleted, nor, but for ``even_temporary``, one whose session is deleted with its answer.
    """
    turns = Turn.objects.select_related("chat_session", "chat_session__stamp", "chat_session__profile", "profile")
    rows = reached(turns, "chat_session__profile")
    found = rows.filter(run_id=run_id, owner_id=user_id, chat_session__owner_id=user_id).first()
    if found is None or found.kind not in RESPONSES or (found.chat_session.temporary and not even_temporary):
        raise NotFound
    if isinstance(found.request, dict) and found.request.get("deleted"):
        raise NotFound
    return found


def gone(session_ids: Collection[str]) -> set[str]:
    """Return those of the sessions that are no more, whosever they were. For what a process holds of them."""
    there = ChatSession.objects.filter(pk__in=session_ids).values_list("pk", flat=True)
    return set(session_ids) - {str(session_id) for session_id in there}


def chat_session(user_id: int, session_id: UUID, *, lock: bool = False) -> ChatSession:
    """Return the user's session with its stamp, profile and active branch loaded.

    ``lock`` makes the transaction the only one that changes this session until it ends, so what
    is loaded stays true. Every transaction locks the stamp's row first and everything else after
    it, so none deadlock. Raises NotFound.
    """
    if lock and connection.features.has_select_for_update:
        # A statement of its own: what is read after it is what the lock protects. (SQLite's
        # transactions begin IMMEDIATE, so there the whole database is locked already.)
        plain.rows(_LOCK, [session_id, user_id])
    also, params = clause("sessions_app_chatsession.id")
    for found in _SESSIONS.where(_OWN + also, [session_id, user_id, *params]):
        return found
    raise NotFound
