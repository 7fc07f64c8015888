"""What becomes of calls that were to be approved, or made, for a user who may no longer act: they are not made.

Nobody can decide them meanwhile (``access.require_user``), and a turn that was to make them does not begin. Here they
are ended, so that none of them waits when the user may act again. By whichever process looks first, a session at a
time, under its lock.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Now

from sessions_app.conversations import access
from sessions_app.database import plain
from sessions_app.database.users import of_users
from sessions_app.errors import NotFound
from sessions_app.models import CallState, ChatSession, Decision, Turn, TurnStatus
from sessions_app.turn_store import approving
from sessions_app.turn_store.alive import alive
from sessions_app.turn_store.asking import withdraw
from sessions_app.turn_store.beginning import append_results

STEP_SESSIONS = 50
# The index's own condition, which SQLite wants to see.
_UNDONE = """
SELECT DISTINCT approval.owner_id, approval.chat_session_id FROM sessions_app_approval AS approval
JOIN {users} AS owner ON owner.id = approval.owner_id
WHERE approval.state = 'none' AND NOT (approval.decision = 'refused') AND NOT owner.is_active
LIMIT %s
"""


def find() -> list[tuple[int, UUID]]:
    """Return owner and session of approvals that ``end`` has to end."""
    rows = plain.rows(of_users(_UNDONE), [STEP_SESSIONS])
    return [(owner_id, UUID(str(session_id))) for owner_id, session_id in rows]


def end(owner_id: int, session_id: UUID) -> None:
    """Refuse what waits in a session, and say of what was approved that it was not made.

    A turn that runs ends its calls itself: nothing is done before.
    """
    try:
        chat_session = access.chat_session(owner_id, session_id, lock=True)
    except NotFound:
        return
    if access.lock_user(owner_id) is not None or TurnStatus.RUNNING in alive(chat_session).values():
        return
    approved = chat_session.approvals.filter(decision=Decision.APPROVED, state=CallState.NONE)
    for turn in Turn.objects.filter(decided_approvals__in=approved).distinct():
        _end_turn(turn, chat_session)
    # Their answer was deleted by another program.
    approved.update(state=CallState.NOT_MADE, ended_at=Now())
    append_results(chat_session, approving.refuse_all(chat_session))


def _end_turn(turn: Turn, chat_session: ChatSession) -> None:
    if turn.status == TurnStatus.QUEUED:
        withdraw([turn])
    append_results(chat_session, approving.close_calls(turn, chat_session))
