"""Turns whose owner died: keep what they said, say so, and go on with what is queued."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from sessions_app import access
from sessions_app.errors import NotFound
from sessions_app.models import ChatSession, Turn, TurnStatus
from sessions_app.turns.beginning import Begun, begin_next
from sessions_app.turns.ending import Ended, Ending, end
from sessions_app.turns.liveness import known_dead


@dataclass(frozen=True, slots=True)
class Recovered:
    """A dead owner's turn, ended as interrupted by this process."""

    turn: Turn
    ended: Ended


def dead_turns(lease: float, mine: frozenset[int]) -> list[Turn]:
    """Return the running turns whose owner has been silent for ``lease`` seconds, or is dead.

    ``mine`` are the primary keys of those that this very process runs.
    """
    running = Turn.objects.filter(status=TurnStatus.RUNNING).exclude(pk__in=mine)
    too_old = Now() - timedelta(seconds=lease)
    silent = set(running.filter(heartbeat_at__lt=too_old).values_list("pk", flat=True))
    return [turn for turn in running if turn.pk in silent or known_dead(turn.process)]


def recover(turn: Turn, process: str | None, text: str) -> Recovered | None:
    """Take a dead turn over and end it, and begin the next for ``process``; None where somebody was faster.

    ``text`` tells the user what happened. The claim seen as dead is the one that is replaced,
    so an owner which comes back to life either keeps its turn whole or has lost it.
    """
    try:
        access.chat_session(turn.owner_id, turn.chat_session_id, lock=True)
    except NotFound:
        return None
    # Not equal: SQLite writes milliseconds by its own clock, and Django would look for microseconds.
    seen = Turn.objects.filter(pk=turn.pk, claim=turn.claim, heartbeat_at__lte=turn.heartbeat_at)
    if not seen.filter(status=TurnStatus.RUNNING).update(claim=uuid.uuid4(), heartbeat_at=Now()):
        return None
    turn.refresh_from_db()
    ending = Ending(TurnStatus.INTERRUPTED, turn.checkpoint, error_code="interrupted", error_text=text)
    return Recovered(turn, end(turn, turn.answer_id, ending, process=process))


def waiting_sessions() -> list[tuple[int, UUID]]:
    """Return (owner, session) of every session that has queued turns and none running."""
    running = Turn.objects.filter(chat_session=OuterRef("chat_session"), status=TurnStatus.RUNNING)
    queued = Turn.objects.filter(~Exists(running), status=TurnStatus.QUEUED)
    return list(queued.values_list("owner_id", "chat_session_id").distinct())


def begin_waiting(owner_id: int, session_id: UUID, process: str) -> Begun | None:
    """Begin the next turn of a waiting session, if it still waits."""
    try:
        chat_session: ChatSession = access.chat_session(owner_id, session_id, lock=True)
    except NotFound:
        return None
    return begin_next(chat_session, process)
