"""Ask for a turn, withdraw it, ask for its end: what turn.start and turn.stop do in the database.

One transaction stores the user's text with its turn, claims the message id for ever, and,
where no other turn of the session runs, begins the turn at once: an acknowledged text is
durable, and the usual turn costs one hop before the provider is called.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Now

from sessions_app.budgets import holding
from sessions_app.conversations import access, attachments, features, turn_status
from sessions_app.conversations.documents import text_with
from sessions_app.conversations.profiles import check_profile, check_takes
from sessions_app.conversations.schemas import queued_shape
from sessions_app.conversations.windows import check_fits
from sessions_app.database.prepared import insert
from sessions_app.errors import Conflict, NotFound
from sessions_app.journal import Fact, record
from sessions_app.llm.content.codec import decode, encode
from sessions_app.models import FactName, Feature, Turn, TurnStatus
from sessions_app.turn_store import approving
from sessions_app.turn_store.admitting import admit, bytes_of
from sessions_app.turn_store.alive import alive
from sessions_app.turn_store.beginning import append_results, begin, begin_next, enqueue, return_to_left_branch
from sessions_app.turn_store.message_ids import AcceptedTurn, claim_of, repeated


def ask(
    user_id: int,
    session_id: UUID,
    text: str,
    message_id: UUID | None,
    *,
    process: str,
    accepting: bool,
    revision: int | None = None,
    run_id: UUID | None = None,
    files: Sequence[UUID] = (),
) -> AcceptedTurn:
    """Store a turn; begin it unless another runs or this process is stopping. Calls that wait for a person are refused.

    ``revision`` is that of the transcript which the caller has shown, ``run_id`` is free, or None; ``files`` are the
    ids of what it is said with.

    Raises NotFound (also for a user who may no longer act, and a file that is not there), Forbidden (the user may send
    no files), Conflict (the message id is taken, another line was chosen since, the model takes no such files),
    TooLarge (for the model), TooMany (turns a minute, queue, storage, budgets).
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    turn = Turn(owner_id=user_id, chat_session=chat_session, text=text)
    turn.message_id = message_id or uuid.uuid4()
    turn.run_id = run_id or turn.run_id
    # One request of a user waits for another: each could take the same id, or the last place of a minute.
    user = access.require_user(user_id)
    claim = claim_of(turn, files=files)
    if message_id and (before := repeated(claim)) is not None:
        return before
    if files:
        features.require(user_id, Feature.FILES)
    attached = attachments.find(user_id, files)
    turn.parts = encode(attachments.parts_of(attached))
    if revision is not None and revision < chat_session.stamp.branch_revision:
        raise Conflict("This chat went on elsewhere.", revision=chat_session.stamp.revision)
    check_profile(chat_session)
    check_takes(chat_session.profile, decode(turn.parts))
    told = text_with(text, attached)
    check_fits(chat_session, chat_session.profile, told)
    insert(claim)
    others = list(alive(chat_session).values())
    admit(user, turn, text, bytes_of(told), others)
    refused = approving.refuse_waiting(chat_session)
    if accepting and not others:
        begun = begin(turn, chat_session, process, user, results=refused)
        return AcceptedTurn(turn, begun.answered, begun)
    append_results(chat_session, refused)
    return AcceptedTurn(turn, enqueue(turn), begin_next(chat_session, process) if accepting else None)


@dataclass(frozen=True, slots=True)
class Stopping:
    """What turn.stop found: a queued turn that is now ``withdrawn``, or a ``running`` one."""

    withdrawn: Turn | None = None
    running: Turn | None = None


def stop(user_id: int, session_id: UUID, run_id: UUID | None) -> Stopping:
    """Withdraw a queued turn, or ask the process of the running one to stop it.

    Raises NotFound for a run that this session never had.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    turns = chat_session.turns.select_for_update()
    if run_id is None:
        turn = turns.filter(status=TurnStatus.RUNNING).first()
    else:
        turn = turns.filter(run_id=run_id).first()
        if turn is None:
            raise NotFound
    if turn is None or turn.ended_at is not None:
        return Stopping()
    if turn.status == TurnStatus.QUEUED:
        withdraw([turn])
        append_results(chat_session, approving.close_calls(turn, chat_session))
        return_to_left_branch(turn, chat_session)
        return Stopping(withdrawn=turn)
    turn.stop_requested = True
    turn.save(update_fields=["stop_requested"])
    return Stopping(running=turn)


def withdraw(turns: Collection[Turn], refused: str = "") -> None:
    """End turns that wait, and tell their users; with why they are ``refused``, where they are.

    The caller holds their rows, or their session's lock.
    """
    rows = Turn.objects.filter(pk__in=[turn.pk for turn in turns])
    error = {"error_code": "provider" if refused else "", "error_text": refused}
    turn_status.change(rows, TurnStatus.QUEUED, TurnStatus.WITHDRAWN, ended_at=Now(), held=None, **error)
    holding.release(turns)
    for turn in turns:
        turn.error_code, turn.error_text = error["error_code"], error["error_text"]
        shape = queued_shape(turn)
        record(Fact(turn.owner_id, FactName.TURN_WITHDRAWN, turn.chat_session_id, turn.run_id, shape))
