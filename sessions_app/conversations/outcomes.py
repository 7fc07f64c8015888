"""What other rows say of messages: the end of their turn, the versions beside them, what their user thinks of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from sessions_app.conversations import approvals, spending, waiting_calls
from sessions_app.conversations.schemas import ErrorShape, MessageShape, message_shape, proposes
from sessions_app.conversations.versions import versions
from sessions_app.models import (
    MemoryDecision,
    Message,
    MessageKind,
    MessageRating,
    MessageRole,
    Turn,
    TurnStatus,
)


def message_shapes(messages: Sequence[Message]) -> list[MessageShape]:
    """Return the shapes of stored messages, with all that other rows say of them (four queries;
    another where a tool has proposed to remember something, one of the host's or of a client's was called)."""
    beside, turns, ratings, decisions = versions(messages), _turns(messages), _ratings(messages), _decisions(messages)
    ended = [turn for turn in turns.values() if turn.ended_at is not None]
    ledgers = {turn.answer_id: spending.line_of(turn) for turn in ended}
    errors = {_bearer(turn): error for turn in ended if (error := error_of(turn) or _stop_of(turn))}
    return [
        shape.model_copy(
            update={
                **standing(message.public_id, beside.get(message.pk, ())),
                "ledger": ledgers.get(message.public_id),
                "error": errors.get(message.public_id, shape.error),
                "rating": ratings.get(message.pk),
                "proposal": decisions.get(message.pk, shape.proposal),
                "model": _answered_by(message, turns.get(message.turn_id)),
            }
        )
        for message, shape in zip(messages, _told(messages), strict=True)
    ]


def _told(messages: Sequence[Message]) -> list[MessageShape]:
    """Return what messages say themselves, which of their calls wait, and what a person has said of them."""
    shapes = _decided(messages, list(map(message_shape, messages)))
    calling = [
        message
        for message, shape in zip(messages, shapes, strict=True)
        if any(call.client for call in shape.tool_calls or ())
    ]
    if not calling:
        return shapes
    waiting = waiting_calls.ids_of(calling)
    return [
        waiting_calls.shown(shape, waiting[message.pk]) if message.pk in waiting else shape
        for message, shape in zip(messages, shapes, strict=True)
    ]


def _decided(messages: Sequence[Message], shapes: list[MessageShape]) -> list[MessageShape]:
    """Return the shapes with what a person has said of their calls."""
    both = list(zip(messages, shapes, strict=True))
    calling = [message for message, shape in both if any(not call.client for call in shape.tool_calls or ())]
    decisions = approvals.decisions_of(calling) if calling else {}
    return [
        approvals.shown(shape, decisions[message.pk]) if message.pk in decisions else shape for message, shape in both
    ]


def standing(message_id: UUID, beside: Sequence[UUID]) -> dict[str, Any]:
    """Return what a message's shape says of its versions: all messages of its place, itself too, oldest first."""
    if not beside:
        return {}
    return {"alternatives": [other for other in beside if other != message_id], "place": beside.index(message_id) + 1}


def _answered_by(message: Message, turn: Turn | None) -> str | None:
    """Return the model that said a message, or made a summary; None where nobody knows, and of what no model says."""
    if message.role != MessageRole.ASSISTANT and message.kind != MessageKind.SUMMARY:
        return None
    return (turn.model if turn else message.model) or None


def _ratings(messages: Sequence[Message]) -> dict[int, int]:
    rated = MessageRating.objects.filter(message__in=[message.pk for message in messages])
    return dict(rated.values_list("message_id", "rating"))


def _decisions(messages: Sequence[Message]) -> dict[int, str]:
    """Return what the user said to what was proposed for their memory, by the result's primary key."""
    results = [message.pk for message in messages if proposes(message)]
    decided = MemoryDecision.objects.filter(message__in=results).values_list("message_id", "saved") if results else ()
    return {pk: "saved" if saved else "refused" for pk, saved in decided}


def _turns(messages: Sequence[Message]) -> dict[int | None, Turn]:
    """Return the turns of these messages, by primary key; ``answered`` tells whether their answer was stored."""
    answer = Message.objects.filter(owner=OuterRef("owner"), public_id=OuterRef("answer_id"))
    turns = Turn.objects.filter(pk__in={message.turn_id for message in messages if message.turn_id})
    return {turn.pk: turn for turn in turns.defer("text", "checkpoint").annotate(answered=Exists(answer))}


def _bearer(turn: Turn) -> UUID:
    """Return the id of the message that tells a turn's error: the answer, or the user's where there is none."""
    return turn.answer_id if turn.answered else turn.message_id  # type: ignore[attr-defined]  # annotated above


def _stop_of(turn: Turn) -> ErrorShape | None:
    """Return what a message says whose turn was stopped before there was an answer."""
    stopped = turn.status == TurnStatus.STOPPED and not turn.answered  # type: ignore[attr-defined]  # annotated above
    return ErrorShape(code="stopped", text="You stopped this answer.") if stopped else None


def error_of(turn: Turn) -> ErrorShape | None:
    """Return why a turn failed or was interrupted; None for any other."""
    return ErrorShape(code=turn.error_code, text=turn.error_text) if turn.error_code else None
