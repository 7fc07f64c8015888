"""Store what a turn brings: a step with its tools' results, the final answer, the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from agentcache import Stamp
from sessions_app.budgets import holding
from sessions_app.budgets.amounts import Cost, counted, estimated
from sessions_app.conversations import access, approvals, attachments, lost_calls, spending, transcript, waiting_calls
from sessions_app.conversations.outcomes import standing
from sessions_app.conversations.schemas import MessageShape, TurnShape, message_shape
from sessions_app.conversations.sent_rows import row_of
from sessions_app.conversations.session_schemas import session_shape
from sessions_app.conversations.transcript import NewMessage, OwnershipLost
from sessions_app.conversations.turn_results import TurnResult, last_event
from sessions_app.conversations.versions import versions
from sessions_app.errors import NotFound
from sessions_app.journal import Fact, TurnEnd, record
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.content.parts import FileReference, Parts
from sessions_app.llm.content.rows import Row
from sessions_app.models import (
    ChatSession,
    Decision,
    FactName,
    Message,
    MessageRole,
    Turn,
    TurnKind,
    TurnStatus,
    WaitingKind,
)
from sessions_app.turn_store import approving
from sessions_app.turn_store.approving import ApprovedCall
from sessions_app.turn_store.beginning import begin_next, return_to_left_branch, touch
from sessions_app.turn_store.claimed_turn import ClaimedTurn


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows that a turn has stored, as the transcript in memory takes them in."""

    rows: tuple[Row, ...]
    messages: tuple[MessageShape, ...]
    old: Stamp
    new: Stamp


@dataclass(frozen=True, slots=True)
class FinishedTurn:
    """A turn's end as stored (``stored`` is None where the answer had no word and no thought), and what is next."""

    stored: Stored | None
    following: ClaimedTurn | None


def status_of(turn_id: int) -> str | None:
    """Return how a turn stands, by its primary key; None where its session is gone."""
    return Turn.objects.filter(pk=turn_id).values_list("status", flat=True).first()


def locked(turn: Turn) -> ChatSession:
    """Return a turn's session, locked. Raises OwnershipLost where it is gone."""
    try:
        return access.chat_session(turn.owner_id, turn.chat_session_id, lock=True)
    except NotFound:
        raise OwnershipLost from None


def _append(
    chat_session: ChatSession,
    turn: Turn,
    rows: Sequence[NewMessage],
    request: RequestRecord | None,
    **columns: Any,
) -> Stored:
    """Append rows of a turn."""
    appended = transcript.append(chat_session, turn, rows, **columns)
    touch(chat_session, appended, request)
    if any(isinstance(part, FileReference) for row in rows for part in row.parts):
        access.lock_user(turn.owner_id)
        attachments.note(appended.messages)
    # Of what a turn appends, only another answer stands beside something.
    beside = versions(appended.messages) if turn.kind in (TurnKind.REGENERATION, TurnKind.RESUMPTION) else {}
    return Stored(
        tuple(row_of(message) for message in appended.messages),
        tuple(
            message_shape(message).model_copy(update=standing(message.public_id, beside.get(message.pk, ())))
            for message in appended.messages
        ),
        appended.old,
        appended.new,
    )


def store_step(turn: Turn, rows: Sequence[NewMessage], next_answer: UUID, so_far: TurnResult, seq: int) -> Stored:
    """Store a step that called tools, with their results; the next answer gets a new id.

    ``so_far`` is what the turn has cost until now, in case its process dies; ``seq`` numbers the last event of what is
    stored of the model. Raises OwnershipLost.
    """
    columns = {"answer_id": next_answer, "checkpoint": "", "checkpoint_seq": seq, "begun_calls": None}
    columns |= _figures(so_far)
    stored = _append(locked(turn), turn, rows, so_far.request, **columns)
    said = stored.messages[0].model_copy(update={"model": so_far.model or None})
    stored = replace(stored, messages=(said, *stored.messages[1:]))
    _tell(turn, stored)
    return stored


def begin_calls(turn: Turn, text: str, parts: Parts) -> None:
    """Note an answer before its calls are made, so that whoever ends the turn knows of them. Raises OwnershipLost."""
    transcript.write_fenced(turn, begun_calls=lost_calls.mark(text, parts))


def store_result(turn: Turn, call: ApprovedCall, row: NewMessage) -> Stored:
    """Store the result of a call that a person has approved. Raises OwnershipLost."""
    stored = _append(locked(turn), turn, [row], None)
    approving.end_call(call)
    _tell(turn, stored)
    return stored


def _tell(turn: Turn, stored: Stored | None) -> None:
    for message in stored.messages if stored else ():
        record(Fact(turn.owner_id, FactName.MESSAGE_CREATED, turn.chat_session_id, message.id, message))


def end(turn: Turn, answer_id: UUID, ending: TurnResult, *, process: str | None) -> FinishedTurn:
    """Store the answer, its usage and the end of the turn; begin the next one for ``process``.

    ``process`` is None where this one takes no more turns. Raises OwnershipLost. Where an earlier
    call has stored the end, and the word of that was lost, nothing is written again.
    """
    chat_session = locked(turn)
    try:
        stored = _store(chat_session, turn, answer_id, ending)
        holding.settle(turn, _cost_of(ending))
    except OwnershipLost:
        if not Turn.objects.filter(pk=turn.pk, claim=turn.claim, ended_at__isnull=False).exists():
            raise
        return FinishedTurn(None, None)
    _tell(turn, stored)
    _leave(turn, chat_session, answer_id, ending)
    _tell_end(turn, chat_session, answer_id, ending)
    if stored is None:
        return_to_left_branch(turn, chat_session)
    return FinishedTurn(stored, begin_next(chat_session, process) if process else None)


def _cost_of(ending: TurnResult) -> Cost:
    return counted(ending.usage, ending.entry) + estimated(ending.uncounted_tokens, ending.uncounted_cost)


def _leave(turn: Turn, chat_session: ChatSession, answer_id: UUID, ending: TurnResult) -> None:
    """Have calls of the answer wait for the client and for a person; without an answer, those that waited before."""
    if ending.is_blank:
        if ending.asked:
            approving.wait_on(turn, ending.asked)
        return
    if not ending.waiting and not ending.asked:
        return
    answer = Message.objects.get(owner_id=turn.owner_id, public_id=answer_id)
    if ending.waiting:
        waiting_calls.store(answer, [call.id for call in ending.waiting], WaitingKind.CLIENT)
    if ending.asked:
        approving.request(chat_session, turn, answer, ending.asked)


def _tell_end(turn: Turn, chat_session: ChatSession, answer_id: UUID, ending: TurnResult) -> None:
    """Tell the turn's end, and the session as it leaves it: what follows is told by itself."""
    owner_id, session_id, run_id = turn.owner_id, chat_session.pk, turn.run_id
    value = TurnShape(
        session_id=session_id,
        run_id=run_id,
        status=TurnStatus(ending.status),
        message_id=answer_id,
        error=ending.error,
        kind=TurnKind(turn.kind),
    )
    end = TurnEnd(ending.last_seq, last_event(session_id, run_id, ending))
    record(Fact(owner_id, FactName.TURN_ENDED, session_id, run_id, value, end=end))
    record(Fact(owner_id, FactName.SESSION_UPDATED, session_id, value=session_shape(chat_session)))


def _store(chat_session: ChatSession, turn: Turn, answer_id: UUID, ending: TurnResult) -> Stored | None:
    rows = [*approving.close_calls(turn, chat_session), *_answer_of(ending, answer_id)]
    if rows:
        stored = _append(chat_session, turn, rows, ending.request, **_columns(ending))
        shapes = [_told(shape, ending) if shape.id == answer_id else shape for shape in stored.messages]
        return replace(stored, messages=tuple(shapes))
    transcript.write_fenced(turn, **_columns(ending))
    touch(chat_session, None, ending.request)
    return None


def _answer_of(ending: TurnResult, answer_id: UUID) -> list[NewMessage]:
    """Return the rows of the answer, none where there is nothing to store."""
    if ending.is_blank:
        return []
    finish = ending.finish or ""
    answer = NewMessage(MessageRole.ASSISTANT, ending.text, ending.parts, ending.status, answer_id, finish)
    return [answer, *ending.results]


def _told(shape: MessageShape, ending: TurnResult) -> MessageShape:
    """Return the shape of the answer with what the turn's end says of it."""
    shape = waiting_calls.shown(shape, [call.id for call in ending.waiting]) if ending.waiting else shape
    asked = {each.tool_call_id: {"approval": Decision.WAITING.value} for each in ending.asked}
    shape = approvals.shown(shape, asked) if asked else shape
    return shape.model_copy(update={"ledger": ending.ledger, "error": ending.error, "model": ending.model or None})


def _columns(ending: TurnResult) -> dict[str, Any]:
    return {
        "status": ending.status,
        "ended_at": Now(),
        "checkpoint": "",
        "begun_calls": None,
        "error_code": ending.error_code,
        "error_text": ending.error_text,
        "last_seq": ending.last_seq,
        **_figures(ending),
    }


def _figures(ending: TurnResult) -> dict[str, Any]:
    """What the turn has cost, and what the guard decided."""
    guarded = ending.guarded
    figures = spending.columns_of(ending.provider, ending.model, ending.usage, ending.entry)
    if ending.uncounted_tokens:
        figures |= {"uncounted_tokens": ending.uncounted_tokens, "uncounted_cost": ending.uncounted_cost}
    if guarded is not None:
        figures |= {
            "guard_agent": guarded.agent,
            "guard_transcript": guarded.transcript,
            "guard_reason": guarded.reason,
        }
    return figures
