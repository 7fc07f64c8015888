"""Delete a session whole, once no turn of it runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.budgets import holding
from sessions_app.budgets.amounts import counted
from sessions_app.conversations import access, attachments, holds, spending
from sessions_app.conversations.turn_results import broken_off
from sessions_app.errors import NotFound
from sessions_app.journal import Fact, TurnEnd, record
from sessions_app.models import ChatSession, FactName, Message, Turn, TurnStatus
from sessions_app.turn_store.asking import withdraw
from sessions_app.turn_store.recovery import is_dead

DELETED = {"deleted": True}
"""What stands in the place of the request of a turn whose response was deleted."""

# Whoever follows a run has been told its end by then.
_LEFT = timedelta(seconds=5)
_STEP_SESSIONS = 50


@dataclass(frozen=True, slots=True)
class Erased:
    """What went with a session."""

    messages: int
    files: int


def delete(user_id: int, session_id: UUID, silence: float, given_up: Collection[UUID] = ()) -> Turn | Erased:
    """Delete the session with all its rows. Raises NotFound, and Conflict where its user is under a legal hold.

    A turn of it that still runs is returned, asked to stop, and then only the queue is
    withdrawn. Those ``given_up`` do not count, nor those whose process has been silent for
    ``silence`` seconds: they find their claim gone and write nothing.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    if not chat_session.temporary:
        holds.check(user_id)
    turns = chat_session.turns.all()
    withdraw(turns.filter(status=TurnStatus.QUEUED).order_by("pk"))
    running = turns.filter(status=TurnStatus.RUNNING).exclude(run_id__in=given_up).first()
    if running is not None and not is_dead(running, silence):
        running.stop_requested = True
        running.save(update_fields=["stop_requested"])
        return running
    return erase(chat_session)


def delete_idle(user_id: int, session_id: UUID, is_due: Callable[[UUID], bool]) -> Erased | None:
    """Delete a session that nobody has asked to delete, where it is due and no turn of it runs or waits.

    ``is_due`` is asked under the session's lock: what begins a turn, or is done to the session, comes before or after.
    """
    try:
        chat_session = access.chat_session(user_id, session_id, lock=True)
    except NotFound:
        return None
    alive = chat_session.turns.filter(status__in=[TurnStatus.QUEUED, TurnStatus.RUNNING])
    if alive.exists() or not is_due(session_id):
        return None
    return erase(chat_session)


def delete_response(user_id: int, session_id: UUID, run_id: UUID) -> bool:
    """Have a turn be no response any more; tell whether its session holds no other that is one.

    Raises NotFound, and Conflict where the user is under a legal hold.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    holds.check(user_id)
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


def erase(chat_session: ChatSession) -> Erased:
    """Delete a locked session with all its rows; a turn that runs finds its claim gone and writes nothing.

    What such a turn holds of budgets is given back: what it has cost since its last step nobody knows.
    """
    for turn in chat_session.turns.filter(held__isnull=False).order_by("pk"):
        holding.settle(turn, counted(spending.usage_of(turn), spending.entry_of(turn)))
    messages = chat_session.stamp.message_count
    # Leaves first and in bulk: Django's cascade would load every row to follow it.
    for run_id in chat_session.turns.filter(status=TurnStatus.RUNNING).values_list("run_id", flat=True):
        end = TurnEnd(None, broken_off())
        record(Fact(chat_session.owner_id, FactName.TURN_ENDED, chat_session.pk, run_id, end=end))
    files = attachments.of_session(chat_session.pk)
    Message.objects.filter(chat_session=chat_session).delete()
    chat_session.turns.all().delete()
    owner_id, session_id = chat_session.owner_id, chat_session.pk
    chat_session.delete()
    released = attachments.release(owner_id, files)
    record(Fact(owner_id, FactName.SESSION_DELETED, session_id, value=str(session_id)))
    if not chat_session.temporary:  # such a one goes with its answer, and was in nobody's list
        audit.record(Action.SESSION_DELETED, Object(ObjectKind.SESSION, session_id), user=owner_id)
    return Erased(messages, released)
