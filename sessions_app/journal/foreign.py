"""Changes that other programs have made: noticed by the stamp, told once.

Each session stores the revision that its users were last told of. Our own writes move it in their own transaction, by
exactly what they change (``transcript.mark_as_told``). So it is behind the stamp where somebody else has written, and
there alone. Whoever looks first tells it, under the session's lock: the next finds nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from uuid import UUID

from sessions_app.conversations import access
from sessions_app.conversations.schemas import TranscriptShape
from sessions_app.database import plain, shared_thread
from sessions_app.errors import NotFound
from sessions_app.journal.recording import Fact, record
from sessions_app.models import ChatSession, FactName, JournalEntry

# Sessions that one step tells of.
STEP_SESSIONS = 100
# Of the stamps alone: with the sessions joined to them, SQLite reads those first, all of them.
_BEHIND = """
SELECT owner_id, chat_session_id FROM sessions_app_sessionstamp
WHERE told_revision < revision AND (owner_id = %s OR %s) ORDER BY chat_session_id LIMIT %s
"""
_IS_BEHIND = "SELECT 1 FROM sessions_app_sessionstamp WHERE chat_session_id = %s AND told_revision < revision"
_TOLD = "UPDATE sessions_app_sessionstamp SET told_revision = revision WHERE chat_session_id = %s AND owner_id = %s"
_HOLD = """
INSERT INTO sessions_app_journalhead (owner_id, cursor) VALUES (%s, 0)
ON CONFLICT (owner_id) DO UPDATE SET cursor = sessions_app_journalhead.cursor
"""


def find(user_id: int | None = None) -> list[tuple[int, UUID]]:
    """Return (owner, session) of what others have changed and nobody has told, of one user or of all.

    It costs by these, not by all sessions.
    """
    found = plain.rows(_BEHIND, [user_id or 0, user_id is None, STEP_SESSIONS])
    return [(owner_id, UUID(str(session_id))) for owner_id, session_id in found]


async def is_behind(session_id: UUID) -> bool:
    """Read the live stamp: tell whether another program has changed a session, and nobody has told it.

    For those whom nobody waits for (``shared_thread``). Raises what the database says, and TimeoutError.
    """
    return bool(await shared_thread.read(partial(plain.rows, _IS_BEHIND, [session_id])))


def tell(sessions: Collection[tuple[int, UUID]]) -> None:
    """Tell of each session that it has changed, if nobody else has meanwhile. They come by id, as from ``find``."""
    for owner_id, session_id in sessions:
        try:
            stamp = access.chat_session(owner_id, session_id, lock=True).stamp
        except NotFound:
            # Where its row is there, the branch that it names is not: nobody can open it, and it would come first here
            # for ever.
            plain.each(_TOLD, [[session_id, owner_id]])
            continue
        if stamp.told_revision < stamp.revision:
            plain.each(_TOLD, [[session_id, owner_id]])
            value = TranscriptShape(session_id=session_id, revision=stamp.revision)
            record(Fact(owner_id, FactName.TRANSCRIPT_CHANGED, session_id, value=value))


def gone(sessions: Collection[tuple[int, UUID]]) -> list[tuple[int, UUID]]:
    """Return those of these (owner, session) whose row is gone, though no fact tells it."""
    ids = {session_id for _, session_id in sessions}
    missing = ids - set(ChatSession.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [
        (owner_id, session_id)
        for owner_id, session_id in sessions
        if session_id in missing and not _is_told(owner_id, session_id)
    ]


def tell_gone(sessions: Collection[tuple[int, UUID]]) -> None:
    """Tell of each session that it is gone, if nobody else has meanwhile: the user's head is held while it is asked."""
    for owner_id, session_id in sorted(sessions):
        # Made where there is none, because what is not there holds nobody up.
        plain.each(_HOLD, [[owner_id]])
        if not _is_told(owner_id, session_id):
            record(Fact(owner_id, FactName.SESSION_DELETED, session_id, value=str(session_id)))


def _is_told(owner_id: int, session_id: UUID) -> bool:
    deleted = JournalEntry.objects.filter(owner_id=owner_id, session_id=session_id, name=FactName.SESSION_DELETED)
    return deleted.exists()
