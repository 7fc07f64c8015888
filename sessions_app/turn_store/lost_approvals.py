"""Calls that wait for a person who may not have them made any more: their profile, or tool server, is for others now.

They are refused, and the model is told why. By whichever process looks first, a session at a time, under its lock.
"""

from __future__ import annotations

from uuid import UUID

from sessions_app.conversations import access, profiles
from sessions_app.database import plain
from sessions_app.database.users import of_users, shut_out
from sessions_app.errors import NotFound
from sessions_app.models import Approval, ChatSession, Decision, TurnStatus
from sessions_app.tool_servers.permitted import forbidden
from sessions_app.turn_store import approving
from sessions_app.turn_store.alive import alive
from sessions_app.turn_store.beginning import append_results
from sessions_app.turn_store.claimed_turn import PROFILE_DENIED, profile_of

STEP_SESSIONS = 50
_SERVER_DENIED = shut_out("sessions_app_toolserver_groups", "toolserver_id", "tool.server_id", "turn.owner_id")
# First the index's own condition, which SQLite wants to see.
_NOT_PERMITTED = f"""
SELECT DISTINCT approval.owner_id, approval.chat_session_id FROM sessions_app_approval AS approval
JOIN sessions_app_chatsession AS chat_session ON chat_session.id = approval.chat_session_id
JOIN sessions_app_turn AS turn ON turn.id = approval.turn_id
LEFT JOIN sessions_app_toolservertool AS tool ON tool.full_name = approval.tool
WHERE approval.state = 'none' AND NOT (approval.decision = 'refused') AND approval.decision = 'waiting'
AND ({PROFILE_DENIED} OR {_SERVER_DENIED})
LIMIT %s
"""  # nosec B608: all ours


def find() -> list[tuple[int, UUID]]:
    """Return owner and session of approvals that ``end`` has to end."""
    rows = plain.rows(of_users(_NOT_PERMITTED), [STEP_SESSIONS])
    return [(owner_id, UUID(str(session_id))) for owner_id, session_id in rows]


def end(owner_id: int, session_id: UUID) -> None:
    """Refuse what waits in a session and may not be made any more. While a turn runs there, nothing is done."""
    try:
        chat_session = access.chat_session(owner_id, session_id, lock=True)
    except NotFound:
        return
    if access.lock_user(owner_id) is None or TurnStatus.RUNNING in alive(chat_session).values():
        return
    append_results(chat_session, approving.refuse(chat_session, _reasons(chat_session)))


def _reasons(chat_session: ChatSession) -> dict[int, str]:
    """Return why approvals that wait are refused, by their primary keys."""
    waiting = list(chat_session.approvals.filter(decision=Decision.WAITING).select_related("turn__profile"))
    denied = forbidden(chat_session.owner_id, {row.tool for row in waiting})
    found = {row.pk: approving.NOT_PERMITTED for row in waiting if row.tool in denied}
    return found | {row.pk: approving.NOT_OFFERED for row in waiting if _is_not_offered(row, chat_session)}


def _is_not_offered(row: Approval, chat_session: ChatSession) -> bool:
    profile = profile_of(row.turn, chat_session)
    return profile is not None and not profiles.may_use(chat_session.owner_id, profile.pk)
