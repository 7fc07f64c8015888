"""Go on with an answer whose calls have waited for a person, who has decided: what ``turn.resume`` does.

One transaction, under the session's lock: of two that decide at once one begins the turn, and the other learns what was
decided. It is the same from any process, and after any time. What was refused is stored as the result of its call; what
was approved is carried out by the turn, before its first request (``turns.approved_calls``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.conversations import access, approvals, lost_calls, waiting_calls
from sessions_app.conversations.approvals import WaitingApproval
from sessions_app.conversations.transcript import NewMessage
from sessions_app.errors import BadInput, Conflict, NotFound
from sessions_app.models import Approval, ChatSession, Decision, StandingApproval, Turn, TurnKind, WaitingKind
from sessions_app.turn_store import approving
from sessions_app.turn_store.alive import check_idle
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turn_store.resuming import admit_resumption, go_on

DECIDED = "It was decided already."


@dataclass(frozen=True, slots=True)
class GivenDecision:
    """What a person says of one call; ``always``: of later calls of the tool in this session as well."""

    approval_id: UUID
    approve: bool
    note: str = ""
    always: bool = False


def decide(
    user_id: int,
    session_id: UUID,
    decisions: Sequence[GivenDecision],
    *,
    process: str,
    accepting: bool,
    results: Sequence[NewMessage] = (),
    run_id: UUID | None = None,
) -> AcceptedTurn:
    """Begin a turn with the decisions on all calls that wait at the end of a session's line.

    ``results`` are those that the client brings with them, of all its calls that wait, or none. ``run_id`` is free, or
    None. Raises NotFound (also for an approval of another session), Conflict (one was decided, or does not wait any
    more; a turn runs), BadInput (a call that waits has none), TooMany, StillStopping.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    user = access.require_user(user_id)
    waiting = _waiting(chat_session, decisions)
    given = {each.approval_id: each for each in decisions}
    before = waiting[0].approval.turn
    turn = Turn(owner_id=user_id, chat_session=chat_session, kind=TurnKind.RESUMPTION, sampling=before.sampling)
    turn.profile, turn.names_profile = before.profile, before.names_profile
    turn.run_id = run_id or turn.run_id
    refused = [each for each in waiting if not given[each.approval.public_id].approve]
    rows = [lost_calls.result_row(each.call, _told(given[each.approval.public_id].note)) for each in refused]
    rows += results
    admit_resumption(user, turn, [row.text for row in rows])
    for each in waiting:
        _decide(each, given[each.approval.public_id], user_id)
    approving.forget(waiting)
    if results:
        waiting_calls.forget(waiting[0].approval.message_id, WaitingKind.CLIENT)
    asked = go_on(turn, chat_session, user, rows, process=process, accepting=accepting)
    Approval.objects.filter(pk__in=[each.approval.pk for each in waiting]).update(resumed_by=turn)
    return asked


def _waiting(chat_session: ChatSession, decisions: Sequence[GivenDecision]) -> list[WaitingApproval]:
    """Return what the decisions are about. Raises NotFound, Conflict, BadInput, StillStopping."""
    ids = {each.approval_id for each in decisions}
    named = list(chat_session.approvals.filter(public_id__in=ids).select_related("resumed_by"))
    if len(named) < len(ids):
        raise NotFound
    if any(each.decision != Decision.WAITING for each in named):
        raise Conflict(DECIDED, approvals=[_decided(each) for each in named])
    check_idle(chat_session)
    waiting = approvals.at_end(chat_session)
    wanted = {each.approval.public_id for each in waiting}
    if ids - wanted or not all(each.is_as_asked for each in waiting):
        told = "This call does not wait any more: the chat went on elsewhere."
        raise Conflict(told, revision=chat_session.stamp.revision)
    if missing := wanted - ids:
        lacking = ", ".join(sorted(map(str, missing)))
        raise BadInput(f"All calls that wait need a decision; there is none on the approval {lacking}.")
    return waiting


def _decided(approval: Approval) -> dict[str, Any]:
    """Return what was decided, as a conflict tells it."""
    run_id = approval.resumed_by and str(approval.resumed_by.run_id)
    decision = approval.decision if approval.decision != Decision.WAITING else None
    return {"approval_id": str(approval.public_id), "decision": decision, "run_id": run_id}


def _told(note: str) -> str:
    """Return what the model is told of a call that was refused."""
    return f"{approving.REFUSED} They say: {note}" if note.strip() else approving.REFUSED


def _decide(waiting: WaitingApproval, given: GivenDecision, user_id: int) -> None:
    decision = Decision.APPROVED if given.approve else Decision.REFUSED
    approving.decide(waiting, decision, user_id, note=given.note, always=given.always)
    approval = waiting.approval
    audit.record(
        Action.APPROVAL_DECIDED,
        Object(ObjectKind.APPROVAL, approval.public_id),
        session=approval.chat_session_id,
        tool=audit.name_of(approval.tool),
        decision=decision.value,
        always=given.always,
    )
    if given.always:
        StandingApproval.objects.update_or_create(
            chat_session_id=waiting.approval.chat_session_id,
            tool=waiting.approval.tool,
            defaults={"created_at": Now()},
        )
