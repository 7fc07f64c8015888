"""Message ids that clients make: each stays taken for ever by the turn that it was first sent with.

So a request that is sent again, because its answer got lost, is known again and changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sessions_app.conversations.outcomes import message_shapes
from sessions_app.conversations.schemas import MessageShape, unborn_message_shape
from sessions_app.database import plain
from sessions_app.errors import Conflict
from sessions_app.models import Message, MessageClaim, Turn, TurnStatus
from sessions_app.turn_store.claimed_turn import ClaimedTurn

# An answer's id is no claim, but taken as well.
_TAKEN = """
SELECT 1 FROM sessions_app_messageclaim WHERE owner_id = %s AND message_id = %s
UNION ALL SELECT 1 FROM sessions_app_message WHERE owner_id = %s AND public_id = %s
UNION ALL SELECT 1 FROM sessions_app_turn WHERE status = 'running' AND owner_id = %s AND answer_id = %s
"""


@dataclass(frozen=True, slots=True)
class AcceptedTurn:
    """What became of a request for a turn; ``begun`` where this process is to run it now.

    ``repeated`` tells a repeat of an earlier request, which changed nothing.
    """

    turn: Turn
    message: MessageShape
    begun: ClaimedTurn | None = None
    repeated: bool = False

    @property
    def run_id(self) -> UUID:
        """The turn's id outside."""
        return self.turn.run_id

    @property
    def queued(self) -> bool:
        """Whether the turn waits for another to end."""
        return self.turn.status == TurnStatus.QUEUED


def claim_of(
    turn: Turn, *, files: Sequence[UUID] = (), edited: UUID | None = None, claimed: UUID | None = None
) -> MessageClaim:
    """Return the claim that a turn makes, not stored yet.

    ``files`` are those that its message is to have, ``edited`` is the message in whose place the turn's is said,
    ``claimed`` an id in the place of the message's where that is not a new one.
    """
    return MessageClaim(
        owner_id=turn.owner_id,
        message_id=claimed or turn.message_id,
        chat_session_id=turn.chat_session_id,
        digest=_digest(f"{edited}: {turn.text}" if edited else turn.text, files),
        run_id=turn.run_id,
    )


def _digest(text: str, files: Sequence[UUID]) -> str:
    with_files = f"{text}\0{','.join(map(str, files))}" if files else text
    return hashlib.sha256(with_files.encode()).hexdigest()


def repeated(claim: MessageClaim) -> AcceptedTurn | None:
    """Answer the present state of the turn that has made the same claim before; None where the id is free.

    The caller holds the user's lock. Raises Conflict where the id was claimed with something else.
    """
    if not plain.rows(_TAKEN, [claim.owner_id, claim.message_id] * 3):
        return None
    same = {"chat_session_id": claim.chat_session_id, "digest": claim.digest}
    first = MessageClaim.objects.filter(owner=claim.owner_id, message_id=claim.message_id, **same).first()
    earlier = Turn.objects.filter(run_id=first.run_id).first() if first else None
    if earlier is None:
        raise Conflict("This message id is taken.", message_id=str(claim.message_id))
    stored = Message.objects.filter(owner=claim.owner_id, public_id=claim.message_id).first()
    shape = message_shapes([stored])[0] if stored else unborn_message_shape(earlier)
    return AcceptedTurn(earlier, shape, repeated=True)
