"""Ask for a turn, withdraw it, ask for its end: what turn.start and turn.stop do in the database.

One transaction stores the user's text with its turn, claims the message id for ever, and,
where no other turn of the session runs, begins the turn at once: an acknowledged text is
durable, and the usual turn costs one hop before the provider is called.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from sessions_app import access, storage, turn_status
from sessions_app.database import plain
from sessions_app.errors import Conflict, NotFound, TooMany
from sessions_app.journal import Fact, record
from sessions_app.models import FactName, Message, MessageClaim, Turn, TurnStatus
from sessions_app.shapes import MessageShape, message_shape, queued_shape, unborn_message_shape
from sessions_app.turns.beginning import Begun, alive, begin, begin_next

# A person waits for none of them; a runaway script is told early.
QUEUE_LIMIT = 20
QUEUE_RETRY = 10
# The seconds since the claim that has to leave the last minute first. By the database's clock: hosts' need not agree.
_TOO_MANY = """
SELECT {age} FROM sessions_app_messageclaim WHERE owner_id = %s AND created_at > {minute_ago}
ORDER BY created_at DESC LIMIT 1 OFFSET %s
"""
_MINUTE_SECONDS = 60
_CLOCK = {
    "sqlite": {
        "age": "(JULIANDAY('NOW') - JULIANDAY(created_at)) * 86400.0",
        "minute_ago": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '-60 seconds')",
    },
    "postgresql": {
        "age": "EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP() - created_at)",
        "minute_ago": "STATEMENT_TIMESTAMP() - INTERVAL '60 seconds'",
    },
}
# An answer's id is no claim, but taken as well.
_TAKEN = """
SELECT 1 FROM sessions_app_messageclaim WHERE owner_id = %s AND message_id = %s
UNION ALL SELECT 1 FROM sessions_app_message WHERE owner_id = %s AND public_id = %s
UNION ALL SELECT 1 FROM sessions_app_turn WHERE status = 'running' AND owner_id = %s AND answer_id = %s
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a request for a turn; ``begun`` where this process is to run it now.

    ``repeated`` tells a repeat of an earlier request, which changed nothing.
    """

    turn: Turn
    message: MessageShape
    begun: Begun | None = None
    repeated: bool = False

    @property
    def run_id(self) -> UUID:
        """The turn's id outside."""
        return self.turn.run_id

    @property
    def queued(self) -> bool:
        """Whether the turn waits for another to end."""
        return self.turn.status == TurnStatus.QUEUED


def ask(
    user_id: int,
    session_id: UUID,
    text: str,
    message_id: UUID | None,
    *,
    process: str,
    accepting: bool,
) -> Asked:
    """Store a turn; begin it unless another runs or this process is stopping.

    Raises NotFound (also for a user who may no longer act), Conflict (the message id is taken),
    TooMany (turns a minute, queue, storage).
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    turn = Turn(owner_id=user_id, chat_session=chat_session, text=text)
    turn.message_id = message_id or uuid.uuid4()
    # One request of a user waits for another: each could take the same id, or the last place of a minute.
    if not access.hold_user(user_id):
        raise NotFound
    if message_id and plain.rows(_TAKEN, [user_id, message_id] * 3):
        return _repeat(turn)
    _claim(turn)
    _check_rate(user_id)
    others = list(alive(chat_session).values())
    _check_queue(others)
    storage.admit_text(user_id, text)
    if accepting and not others:
        begun = begin(turn, chat_session, process)
        return Asked(turn, begun.message, begun)
    turn.save()
    record(Fact(user_id, FactName.TURN_QUEUED, session_id, turn.run_id, queued_shape(turn)))
    return Asked(turn, unborn_message_shape(turn), begin_next(chat_session, process) if accepting else None)


def _claim(turn: Turn) -> None:
    MessageClaim.objects.create(
        owner_id=turn.owner_id,
        message_id=turn.message_id,
        chat_session_id=turn.chat_session_id,
        digest=_digest(turn.text),
        run_id=turn.run_id,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _repeat(asked: Turn) -> Asked:
    """Answer the present state of the turn that claimed the message id, if it is the same. Raises Conflict."""
    same = {"chat_session_id": asked.chat_session_id, "digest": _digest(asked.text)}
    claim = MessageClaim.objects.filter(owner=asked.owner_id, message_id=asked.message_id, **same).first()
    turn = Turn.objects.filter(run_id=claim.run_id).first() if claim else None
    if turn is None:
        raise Conflict("This message id is taken.", message_id=str(asked.message_id))
    stored = Message.objects.filter(owner=asked.owner_id, public_id=asked.message_id).first()
    shape = message_shape(stored) if stored else unborn_message_shape(turn)
    return Asked(turn, shape, repeated=True)


def _check_rate(user_id: int) -> None:
    """Refuse more turns in a minute than HERMES_TURNS_PER_MINUTE, this one counted already."""
    limit: int = settings.HERMES_TURNS_PER_MINUTE
    for (age,) in plain.rows(_TOO_MANY.format(**_CLOCK[connection.vendor]), [user_id, limit]):
        raise TooMany(f"At most {limit} turns a minute.", retry_after=max(1, ceil(_MINUTE_SECONDS - float(age))))


def _check_queue(others: list[str]) -> None:
    if others.count(TurnStatus.QUEUED) >= QUEUE_LIMIT:
        raise TooMany(f"At most {QUEUE_LIMIT} turns can wait.", retry_after=QUEUE_RETRY)


@dataclass(frozen=True, slots=True)
class Stopping:
    """What turn.stop found: a queued turn that is now ``withdrawn``, or a ``running`` one."""

    withdrawn: Turn | None = None
    running: Turn | None = None


def stop(user_id: int, session_id: UUID, run_id: UUID | None) -> Stopping:
    """Withdraw a queued turn, or ask the owner of the running one to stop it.

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
        return Stopping(withdrawn=turn)
    turn.stop_requested = True
    turn.save(update_fields=["stop_requested"])
    return Stopping(running=turn)


def withdraw(turns: Collection[Turn]) -> None:
    """End turns that wait, and tell their users. The caller holds their rows, or their session's lock."""
    rows = Turn.objects.filter(pk__in=[turn.pk for turn in turns])
    turn_status.change(rows, TurnStatus.QUEUED, TurnStatus.WITHDRAWN, ended_at=Now())
    for turn in turns:
        shape = queued_shape(turn)
        record(Fact(turn.owner_id, FactName.TURN_WITHDRAWN, turn.chat_session_id, turn.run_id, shape))
