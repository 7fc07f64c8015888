"""What the end of a turn says of its messages: what the answer has cost, and why there is none or it broke off."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef

from sessions_app import branches, spending
from sessions_app.models import Message, Turn
from sessions_app.shapes import ErrorShape, MessageShape, message_shape


def message_shapes(messages: Sequence[Message]) -> list[MessageShape]:
    """Return the shapes of stored messages, with all that other rows say of them (three queries)."""
    beside, ended = branches.alternatives(messages), _ended_turns(messages)
    ledgers = {turn.answer_id: spending.line_of(turn) for turn in ended}
    errors = {message_id: error for turn in ended if (error := error_of(turn)) for message_id in [_bearer(turn)]}
    return [
        message_shape(message, beside.get(message.pk), ledgers.get(message.public_id), errors.get(message.public_id))
        for message in messages
    ]


def _ended_turns(messages: Sequence[Message]) -> list[Turn]:
    """Return the turns of these messages that have ended; ``answered`` tells whether their answer was stored."""
    answer = Message.objects.filter(owner=OuterRef("owner"), public_id=OuterRef("answer_id"))
    turns = Turn.objects.filter(pk__in={message.turn_id for message in messages}, ended_at__isnull=False)
    return list(turns.defer("text", "checkpoint").annotate(answered=Exists(answer)))


def _bearer(turn: Turn) -> UUID:
    """Return the id of the message that tells a turn's error: the answer, or the user's where there is none."""
    return turn.answer_id if turn.answered else turn.message_id  # type: ignore[attr-defined]  # annotated above


def error_of(turn: Turn) -> ErrorShape | None:
    """Return why a turn failed or was interrupted; None for any other."""
    return ErrorShape(code=turn.error_code, text=turn.error_text) if turn.error_code else None
