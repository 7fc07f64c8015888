"""Delete a session, in two steps: first nothing of it may begin any more, then it goes."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Now

from sessions_app import access
from sessions_app.models import Message, TurnStatus


def withdraw_all(user_id: int, session_id: UUID) -> None:
    """Withdraw the session's queued turns. Raises NotFound."""
    chat_session = access.chat_session(user_id, session_id, lock=True)
    queued = chat_session.turns.filter(status=TurnStatus.QUEUED)
    queued.update(status=TurnStatus.WITHDRAWN, ended_at=Now())


def delete(user_id: int, session_id: UUID) -> None:
    """Delete the session with all its rows. Raises NotFound.

    A turn of it that still runs somewhere finds its fence gone and writes nothing.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    # Leaves first and in bulk: Django's cascade would load every row to follow it.
    Message.objects.filter(chat_session=chat_session).delete()
    chat_session.turns.all().delete()
    chat_session.delete()
