"""Turns whose process died: keep what they said and say so; begin what is queued and nobody runs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from sessions_app.conversations import access
from sessions_app.conversations.turn_results import recovered
from sessions_app.database import plain
from sessions_app.errors import NotFound
from sessions_app.models import ChatSession, Turn, TurnStatus
from sessions_app.turn_store import inactive_approvals, inactive_users, lost_approvals, lost_profiles
from sessions_app.turn_store.beginning import begin_again, begin_next
from sessions_app.turn_store.claimed_turn import ClaimedTurn
from sessions_app.turn_store.ending import end
from sessions_app.turn_store.heartbeat import BEAT_SECONDS
from sessions_app.turn_store.liveness import known_dead

QUIET_SECONDS = 3 * BEAT_SECONDS
"""After so long without a heartbeat a process may be dead: others withdraw what it would have to judge."""

# A user's first waiting session comes before everybody's second; what runs for the user counts as well. Not those in
# which a person is waited for at the end of the line (``conversations.approvals``).
_WAITING = """
WITH waiting AS (
  SELECT owner_id, chat_session_id, MIN(id) AS oldest FROM sessions_app_turn AS turn
  WHERE status = 'queued' AND NOT EXISTS (
    SELECT 1 FROM sessions_app_turn WHERE chat_session_id = turn.chat_session_id AND status = 'running'
  ) AND NOT EXISTS (
    SELECT 1 FROM sessions_app_waitingcall AS call
    JOIN sessions_app_message AS answer ON answer.id = call.message_id
    JOIN sessions_app_chatsession AS chat_session ON chat_session.id = call.chat_session_id
    WHERE call.chat_session_id = turn.chat_session_id AND call.kind = 'approval'
      AND answer.branch_id = chat_session.active_branch_id AND NOT EXISTS (
        SELECT 1 FROM sessions_app_message AS later
        WHERE later.branch_id = answer.branch_id AND later.position > answer.position AND later.role <> 'tool'
      )
  )
  GROUP BY owner_id, chat_session_id
), busy AS (SELECT owner_id, COUNT(*) AS runs FROM sessions_app_turn WHERE status = 'running' GROUP BY owner_id)
SELECT waiting.owner_id, waiting.chat_session_id FROM waiting LEFT JOIN busy ON busy.owner_id = waiting.owner_id
ORDER BY ROW_NUMBER() OVER (PARTITION BY waiting.owner_id ORDER BY oldest) + COALESCE(busy.runs, 0), oldest
LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A turn that runs elsewhere, by its row; ``dead`` where its process was silent for too long, or has ended."""

    turn_id: int
    run_id: UUID
    owner_id: int
    session_id: UUID
    process: str
    dead: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at the database finds; ``abandoned`` are turns of users who may no longer act.

    ``undone`` are the sessions, with their owners, in which calls of such users wait for a person, or are to be made.
    ``forbidden`` are turns that wait behind this process's own, and behind quiet ones, for a profile that was removed
    or is no longer for their users, ``not_permitted`` sessions, with their owners, in which calls wait that may not be
    made for these any more.
    """

    running: tuple[Running, ...]
    abandoned: list[int]
    undone: list[tuple[int, UUID]]
    forbidden: list[int]
    not_permitted: list[tuple[int, UUID]]


def look(silence: float, mine: Mapping[int, int | None]) -> Seen:
    """Return what runs elsewhere; a process silent for ``silence`` seconds is dead.

    ``mine`` are the primary keys of the turns that this process runs, with those of the profiles that answer them.
    """
    rows = Turn.objects.filter(status=TurnStatus.RUNNING).exclude(pk__in=list(mine)).annotate(silent=_silent(silence))
    rows = rows.annotate(quiet=_silent(QUIET_SECONDS))
    columns = rows.values_list("pk", "run_id", "owner_id", "chat_session_id", "process", "silent", "quiet")
    ended = {process: known_dead(process) for process in {row[4] for row in columns}}
    running = tuple(Running(*row[:5], dead=row[5] or ended[row[4]]) for row in columns)
    quiet = {row[0] for row in columns if row[6] or ended[row[4]]}
    forbidden = lost_profiles.find(mine, quiet)
    return Seen(running, inactive_users.find(), inactive_approvals.find(), forbidden, lost_approvals.find())


def _silent(seconds: float) -> Q:
    return Q(heartbeat_at__lt=Now() - timedelta(seconds=seconds))


def is_dead(turn: Turn, silence: float) -> bool:
    """Tell whether a running turn's process has been silent for ``silence`` seconds, or has ended."""
    return known_dead(turn.process) or Turn.objects.filter(_silent(silence), pk=turn.pk).exists()


def _locked(owner_id: int, session_id: UUID) -> ChatSession | None:
    """Return a session, locked; None where it is gone: then there is nothing to recover."""
    try:
        return access.chat_session(owner_id, session_id, lock=True)
    except NotFound:
        return None


def recover(seen: Running, silence: float, text: str) -> bool:
    """Take a dead turn over and end it; False where somebody was faster.

    Any process can begin what is queued behind it from then on. ``text`` tells the user what happened. Under the
    session's lock the process is looked at again, so one that came back to life meanwhile keeps its turn whole.
    """
    if _locked(seen.owner_id, seen.session_id) is None:
        return False
    turn = Turn.objects.filter(pk=seen.turn_id, status=TurnStatus.RUNNING, process=seen.process).first()
    if turn is None or not is_dead(turn, silence):
        return False
    turn.claim = uuid.uuid4()
    turn.save(update_fields=["claim"])
    ending = replace(recovered(turn), error_code="interrupted", error_text=text)
    end(turn, turn.answer_id, ending, process=None)
    return True


def adopt(seen: Running) -> ClaimedTurn | None:
    """Begin again a turn that is claimed for this process and not run by it, if it still is so."""
    chat_session = _locked(seen.owner_id, seen.session_id)
    turn = Turn.objects.filter(pk=seen.turn_id, status=TurnStatus.RUNNING, process=seen.process).first()
    return begin_again(turn, chat_session) if chat_session and turn else None


def waiting(limit: int) -> list[tuple[int, UUID]]:
    """Return (user, session) of queues that nobody serves, those that are to be served first."""
    found = plain.rows(_WAITING, [limit])
    # SQLite returns ids as text.
    return [(owner_id, UUID(str(session_id))) for owner_id, session_id in found]


def begin_waiting(owner_id: int, session_id: UUID, process: str) -> ClaimedTurn | None:
    """Begin the next turn of a waiting session, if it still waits."""
    chat_session = _locked(owner_id, session_id)
    return begin_next(chat_session, process) if chat_session else None
