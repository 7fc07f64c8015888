"""Begin a turn: claim it, store the user's message, hand over what running it needs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from agentcache import Stamp
from sessions_app.conversations import (
    access,
    approvals,
    attachments,
    branches,
    sent_rows,
    titles,
    transcript,
    turn_status,
    waiting_calls,
)
from sessions_app.conversations.access import ActingUser
from sessions_app.conversations.schemas import MessageShape, message_shape, queued_shape, unborn_message_shape
from sessions_app.conversations.session_schemas import session_shape
from sessions_app.conversations.transcript import Appended, NewMessage, stamp_of
from sessions_app.conversations.turn_results import turn_shape
from sessions_app.database import plain
from sessions_app.database.prepared import insert
from sessions_app.journal import Fact, record
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.content.codec import decode
from sessions_app.llm.content.parts import FileReference, Parts
from sessions_app.llm.content.rows import Row
from sessions_app.models import (
    ChatSession,
    FactName,
    JournalEntry,
    Message,
    MessageKind,
    MessageRole,
    Turn,
    TurnKind,
    TurnStatus,
)
from sessions_app.turn_store import approving, memory_notes
from sessions_app.turn_store.alive import alive
from sessions_app.turn_store.claimed_turn import UNSEEN, ClaimedTurn, claimed_turn, refusal_of

# A message's time as the database has it: Python's would have lost what it rounds.
_TOUCH = """
UPDATE sessions_app_chatsession SET
  updated_at = COALESCE((SELECT created_at FROM sessions_app_message WHERE id = %s), updated_at),
  last_request = COALESCE(%s, last_request)
WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Forked:
    """Where another line was begun: the ``position``, and the stamp ``old`` of the transcript before."""

    position: int
    old: Stamp


def begin(
    turn: Turn,
    chat_session: ChatSession,
    process: str,
    user: ActingUser,
    forked: Forked | None = None,
    results: Sequence[NewMessage] = (),
) -> ClaimedTurn:
    """Store a new turn as claimed, with its user's message; ``results`` of calls that have waited come before that.

    The caller holds the session's lock.
    """
    _set(turn, _claimed(process))
    insert(turn)
    return _start(turn, chat_session, process, user, forked, results)


def _claimed(process: str) -> dict[str, Any]:
    """Return what a turn has that a process has just claimed."""
    return {"claim": uuid.uuid4(), "process": process, "heartbeat_at": Now(), "started_at": Now()}


def _set(turn: Turn, claimed: dict[str, Any]) -> None:
    turn.status = TurnStatus.RUNNING
    for column, value in claimed.items():
        setattr(turn, column, value)


def _start(
    turn: Turn,
    chat_session: ChatSession,
    process: str,
    user: ActingUser,
    forked: Forked | None = None,
    results: Sequence[NewMessage] = (),
) -> ClaimedTurn:
    """Store what a turn that was claimed in this transaction begins with."""
    old = forked.old if forked else stamp_of(chat_session)
    stored = _rows_of(turn, chat_session, user, results)
    message = _message_of(turn, chat_session, stored)
    begun = claimed_turn(turn, chat_session, message, old, stamp_of(chat_session), stored)
    if forked is not None:
        begun = replace(begun, cut=forked.position)
    owner_id, session_id = turn.owner_id, chat_session.pk
    for row in stored:
        shape = begun.message if row is message and begun.message else message_shape(row)
        record(Fact(owner_id, FactName.MESSAGE_CREATED, session_id, shape.id, shape))
    record(Fact(owner_id, FactName.TURN_BEGAN, session_id, turn.run_id, turn_shape(turn), process=process))
    record(Fact(owner_id, FactName.SESSION_UPDATED, session_id, value=begun.chat_session))
    return begun


def _rows_of(
    turn: Turn, chat_session: ChatSession, user: ActingUser, results: Sequence[NewMessage]
) -> tuple[Message, ...]:
    """Store what a turn begins with: results right behind their calls, a note where one is needed, and what the user
    says, if that is new.

    What is said names a session without a title, and nothing waits any more for a result before it.
    """
    if turn.kind == TurnKind.COMPACTION:
        return ()
    rows = [*results, *_notes(turn, chat_session, user)]
    if turn.kind not in (TurnKind.REGENERATION, TurnKind.RESUMPTION):
        waiting_calls.abandon(chat_session)
        parts = decode(turn.parts)
        rows.append(NewMessage(MessageRole.USER, turn.text, parts, public_id=turn.message_id))
        titles.name(chat_session, turn.text if turn.text.strip() else _names_of(parts))
    if not rows:
        return ()
    appended = transcript.append_claimed(chat_session, turn, rows)
    attachments.note(appended.messages)
    touch(chat_session, appended)
    return appended.messages


def _notes(turn: Turn, chat_session: ChatSession, user: ActingUser) -> list[NewMessage]:
    """Return the note that is needed: none between a call and its result, which providers do not take."""
    if turn.kind == TurnKind.RESUMPTION and approving.results_follow(chat_session):
        return []
    note = memory_notes.needed(chat_session, user)
    return [note] if note else []


def _message_of(turn: Turn, chat_session: ChatSession, stored: Sequence[Message]) -> Message | None:
    """Return the user's message that a turn answers."""
    if turn.kind == TurnKind.REGENERATION:
        return _answered_again(turn, chat_session)
    if turn.kind == TurnKind.RESUMPTION:
        return Message.objects.filter(owner_id=turn.owner_id, public_id=turn.message_id).first()
    return stored[-1] if stored else None


def _names_of(parts: Parts) -> str:
    return ", ".join(part.name for part in parts if isinstance(part, FileReference))


def _answered_again(turn: Turn, chat_session: ChatSession) -> Message:
    """Return the user's message that a regeneration answers."""
    message = Message.objects.get(owner_id=turn.owner_id, public_id=turn.message_id)
    if turn.left_branch_id is None:
        # It has no answer yet: how this turn ends is what it tells.
        Message.objects.filter(pk=message.pk).update(turn=turn)
        transcript.mark_as_told(chat_session)
    return message


def begin_again(turn: Turn, chat_session: ChatSession) -> ClaimedTurn:
    """Claim anew a turn that this process has begun and does not run: the word of the commit was lost.

    What it has in memory of the session is from before the user's message, so no stamp counts as seen.
    The turn of a user who may no longer act is only claimed to be stopped.
    """
    turn.claim = uuid.uuid4()
    turn.heartbeat_at = Now()
    turn.stop_requested = turn.stop_requested or not access.lock_user(turn.owner_id)
    turn.save(update_fields=["claim", "heartbeat_at", "stop_requested"])
    message = Message.objects.filter(owner_id=turn.owner_id, public_id=turn.message_id).first()
    told = JournalEntry.objects.filter(owner_id=turn.owner_id, name=FactName.TURN_BEGAN, subject=turn.run_id)
    began = told.values_list("cursor", flat=True).order_by("-cursor").first()
    begun = replace(claimed_turn(turn, chat_session, message, UNSEEN, UNSEEN), cursor=began or 0)
    return _unless_forbidden(begun, chat_session)


def enqueue(turn: Turn) -> MessageShape:
    """Store a turn that has to wait, and return its message, which has no place in the transcript yet."""
    turn.save()
    attachments.keep_for(turn)
    record(Fact(turn.owner_id, FactName.TURN_QUEUED, turn.chat_session_id, turn.run_id, queued_shape(turn)))
    return unborn_message_shape(turn)


def append_results(chat_session: ChatSession, rows: Sequence[NewMessage], turn: Turn | None = None) -> None:
    """Store results of calls that have waited, before a turn begins, and tell them. Under the session's lock."""
    if not rows:
        return
    appended = transcript.append_claimed(chat_session, turn, rows)
    touch(chat_session, appended)
    for message in appended.messages:
        shape = message_shape(message)
        record(Fact(message.owner_id, FactName.MESSAGE_CREATED, message.chat_session_id, shape.id, shape))


def begin_next(chat_session: ChatSession, process: str) -> ClaimedTurn | None:
    """Begin the session's oldest queued turn, if it has one, none is running, and its user may still act.

    None begins while a person is waited for; what goes on with their word comes before all others. Where the user may
    no longer use what answers, it begins all the same, and ends with an error that says so.
    """
    waiting = alive(chat_session)
    if not waiting or TurnStatus.RUNNING in waiting.values():
        return None
    if approvals.are_waiting(chat_session) or (user := access.lock_user(chat_session.owner_id)) is None:
        return None
    turn, claimed = _first(chat_session, waiting), _claimed(process)
    if not turn_status.change(Turn.objects.filter(pk=turn.pk), TurnStatus.QUEUED, TurnStatus.RUNNING, **claimed):
        return None  # withdrawn meanwhile
    _set(turn, claimed)
    begun = _start(turn, chat_session, process, user)
    attachments.let_go(turn)
    return _unless_forbidden(begun, chat_session)


def _first(chat_session: ChatSession, waiting: Iterable[int]) -> Turn:
    queued = Turn.objects.filter(pk__in=list(waiting))
    resumption = queued.filter(kind=TurnKind.RESUMPTION).first() if chat_session.asks_approval else None
    return resumption or Turn.objects.get(pk=min(waiting))


def _unless_forbidden(begun: ClaimedTurn, chat_session: ChatSession) -> ClaimedTurn:
    reason = refusal_of(begun.turn, chat_session)
    return replace(begun, refused=reason) if reason else begun


def return_to_left_branch(turn: Turn, chat_session: ChatSession) -> None:
    """Show the branch again that a regeneration has left, where it has brought nothing. Under the session's lock.

    Its own branch holds nothing that was said then, but for a note, and summaries that were to make room for an answer,
    which go with it: nobody could get from there to the answer before.
    """
    left, own = turn.left_branch, chat_session.active_branch
    if left is None or own.pk == left.pk or own.messages.filter(kind=MessageKind.SAID).exists():
        return
    branches.activate(chat_session, left)
    own.delete()
    tell_selected(chat_session)


def tell_selected(chat_session: ChatSession) -> None:
    """Tell that another branch was made the active one, which is a change of our own. Under the session's lock."""
    transcript.mark_as_told(chat_session)
    record(Fact(chat_session.owner_id, FactName.BRANCH_SELECTED, chat_session.pk, value=session_shape(chat_session)))


def load(session_id: UUID) -> tuple[list[Row], Stamp]:
    """Read what is sent of a session's transcript, with its stamp.

    Raises OwnershipLost where it is gone, ContentError where it holds what this release does not know.
    """
    chat_session = ChatSession.objects.filter(pk=session_id).first()
    if chat_session is None:
        raise transcript.OwnershipLost
    return sent_rows.read(chat_session), transcript.read_stamp(chat_session)


def touch(chat_session: ChatSession, appended: Appended | None, request: RequestRecord | None = None) -> None:
    """Note the activity that a message is, and the latest request to a provider, writing no other column."""
    newest, last = appended.messages[-1] if appended else None, request.to_json() if request else None
    if newest is not None:
        chat_session.updated_at = newest.created_at
    if last is not None:
        chat_session.last_request = last
    if newest is not None or last is not None:
        plain.execute(_TOUCH, [newest.pk if newest else None, last, chat_session.pk])
