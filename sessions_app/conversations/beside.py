"""What a session's models have cost beside its turns: a row among them for the ledger, and for whatever sums it."""

from __future__ import annotations

import uuid

from django.db.models.functions import Now

from sessions_app.conversations import spending
from sessions_app.llm.step_events import StepResult
from sessions_app.models import ChatSession, Turn, TurnKind, TurnStatus


def enter(chat_session: ChatSession, kind: TurnKind, made: StepResult) -> None:
    """Store what a request beside the turns has cost, once it has ended. No message and no fact belongs to it."""
    figures = spending.columns_of(made.provider, made.model, made.usage, made.entry)
    turn = Turn(owner_id=chat_session.owner_id, chat_session=chat_session, kind=kind, **figures)
    turn.message_id, turn.status = uuid.uuid4(), TurnStatus.COMPLETE
    turn.started_at = turn.ended_at = Now()
    turn.save(force_insert=True)
