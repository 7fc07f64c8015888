"""The only door to a row: yours, or not found.

Every command names rows by ids that came from outside. Nothing else in the project looks a row
up by such an id, so that someone else's row is answered exactly like a missing one.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from sessions_app.errors import NotFound
from sessions_app.models import ChatSession, SessionStamp


def chat_session(user_id: int, session_id: UUID, *, lock: bool = False) -> ChatSession:
    """Return the user's session with its stamp, profile and active branch loaded.

    ``lock`` makes the transaction the only one that changes this session until it ends, so what
    is loaded stays true. Every transaction locks the stamp's row first and everything else after
    it, so none deadlock. Raises NotFound.
    """
    if lock and connection.features.has_select_for_update:
        # A statement of its own: what is read after it is what the lock protects. (SQLite's
        # transactions begin IMMEDIATE, so there the whole database is locked already.)
        mine = SessionStamp.objects.filter(pk=session_id, chat_session__owner_id=user_id)
        list(mine.select_for_update(of=("self",)))
        # A rename takes no lock but its row's own.
        list(ChatSession.objects.filter(pk=session_id, owner_id=user_id).select_for_update(no_key=True).values("pk"))
    rows = ChatSession.objects.select_related("stamp", "profile", "active_branch")
    try:
        return rows.get(pk=session_id, owner_id=user_id)
    except ChatSession.DoesNotExist:
        raise NotFound from None
