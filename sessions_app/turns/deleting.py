"""Delete a session whole, once no turn of it runs in the process that asks."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models.functions import Now

from sessions_app import access
from sessions_app.models import Message, TurnStatus


def delete(user_id: int, session_id: UUID, *, process: str | None = None, given_up: Collection[UUID] = ()) -> bool:
    """Delete the session with all its rows. Raises NotFound.

    False, and only its queue withdrawn, while ``process`` still runs a turn of it other than
    those ``given_up``. One that runs anywhere else finds its fence gone and writes nothing.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    turns = chat_session.turns.all()
    turns.filter(status=TurnStatus.QUEUED).update(status=TurnStatus.WITHDRAWN, ended_at=Now())
    if turns.filter(status=TurnStatus.RUNNING, process=process).exclude(run_id__in=given_up).exists():
        return False
    # Leaves first and in bulk: Django's cascade would load every row to follow it.
    Message.objects.filter(chat_session=chat_session).delete()
    turns.delete()
    chat_session.delete()
    return True
