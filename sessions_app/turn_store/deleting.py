"""Delete a session whole, once no turn of it runs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.conversations import access, attachments
from sessions_app.conversations.turn_results import broken_off
from sessions_app.journal import Fact, TurnEnd, record
from sessions_app.models import ChatSession, FactName, Message, Turn, TurnStatus
from sessions_app.turn_store.asking import withdraw
from sessions_app.turn_store.recovery import is_dead

DELETED = {"deleted": True}
"""What stands in the place of the request of a turn whose response was deleted."""

# Whoever follows a run has been told its end by then.
_LEFT = timedelta(seconds=5)
_STEP_SESSIONS = 50


def delete(user_id: int, session_id: UUID, silence: float, given_up: Collection[UUID] = ()) -> Turn | None:
    """Delete the session with all its rows. Raises NotFound.

    A turn of it that still runs is returned, asked to stop, and then only the queue is
    withdrawn. Those ``given_up`` do not count, nor those whose process has been silent for
    ``silence`` seconds: they find their claim gone and write nothing.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    turns = chat_session.turns.all()
    withdraw(turns.filter(status=TurnStatus.QUEUED).order_by("pk"))
    running = turns.filter(status=TurnStatus.RUNNING).exclude(run_id__in=given_up).first()
    if running is not None and not is_dead(running, silence):
        running.stop_requested = True
        running.save(update_fields=["stop_requested"])
        return running
    erase(chat_session)
    return None


def delete_response(user_id: int, session_id: UUID, run_id: UUID) -> bool:
    """Have a turn be no response any more; tell whether its session holds no other that is one. Raises NotFound."""
    chat_session = access.chat_session(user_id, session_id, lock=True)
    turn = access.response_turn(user_id, run_id)
    turn.request, turn.request_digest = DELETED, None
    turn.save(update_fields=["request", "request_digest"])
    others = chat_session.turns.filter(kind__in=access.RESPONSES).values_list("request", flat=True)
    return all(isinstance(request, dict) and request.get("deleted") for request in others)


def temporary_left() -> list[tuple[int, UUID]]:
    """Return (owner, session) of temporary sessions whose turns have ended a while ago, and nobody has deleted.

    Their client has gone before the answer was out, or the process was killed.
    """
    busy = Q(status__in=[TurnStatus.QUEUED, TurnStatus.RUNNING]) | Q(ended_at__gt=Now() - _LEFT)
    turns = Turn.objects.filter(busy, chat_session=OuterRef("pk"))
    left = ChatSession.objects.filter(~Exists(turns), temporary=True)
    return list(left.values_list("owner", "pk")[:_STEP_SESSIONS])


def erase(chat_session: ChatSession) -> None:
    """Delete a locked session with all its rows; a turn that runs finds its claim gone and writes nothing."""
    # Leaves first and in bulk: Django's cascade would load every row to follow it.
    for run_id in chat_session.turns.filter(status=TurnStatus.RUNNING).values_list("run_id", flat=True):
        end = TurnEnd(None, broken_off())
        record(Fact(chat_session.owner_id, FactName.TURN_ENDED, chat_session.pk, run_id, end=end))
    files = attachments.of_session(chat_session.pk)
    Message.objects.filter(chat_session=chat_session).delete()
    chat_session.turns.all().delete()
    owner_id, session_id = chat_session.owner_id, chat_session.pk
    chat_session.delete()
    attachments.release(owner_id, files)
    record(Fact(owner_id, FactName.SESSION_DELETED, session_id, value=str(session_id)))
    if not chat_session.temporary:  # such a one goes with its answer, and was in nobody's list
        audit.record(Action.SESSION_DELETED, Object(ObjectKind.SESSION, session_id), user=owner_id)
