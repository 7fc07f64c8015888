"""The project's own facts, and the ends of turns, of a time in which this process may not have heard them.

Read from the rows and told again; clients take a fact twice as they take it once. A deletion
leaves no row: whoever opens the session learns it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from sessions_app.models import ChatSession, Message, Turn, TurnStatus
from sessions_app.outcomes import message_shapes
from sessions_app.shapes import queued_shape, session_shape
from sessions_app.turns.ending import ending_of
from sessions_app.turns.hub import Notification, fact
from sessions_app.turns.stream import last_event

# Seconds: a fact is told a moment after the time that its row has.
_MARGIN = 5.0
# After longer silence a list is out of date anyway, and reading it all would stop the process.
_AT_MOST = timedelta(minutes=10)
# Messages are found by their turns, which are indexed by time; one may have been queued for long.
_QUEUED_AT_MOST = timedelta(hours=1)


def told_since(user_ids: Collection[int], seconds: float) -> list[tuple[int, Notification]]:
    """Return (user, notification) of what happened to these users in the last ``seconds``."""
    since = Now() - min(timedelta(seconds=seconds + _MARGIN), _AT_MOST)
    facts = [
        (user_id, fact(session_id, name, value))
        for user_id, session_id, name, value in (
            *_sessions(user_ids, since),
            *_messages(user_ids, since),
            *_queue(user_ids, since),
        )
    ]
    return [*facts, *_ends(user_ids, since)]


def _ends(user_ids: Collection[int], since: Any) -> Iterator[tuple[int, Notification]]:
    """Yield the last event of each turn that has ended: who has missed the rest finds a gap before it."""
    ended = Turn.objects.filter(owner__in=user_ids, ended_at__gte=since, created_at__gte=since - _QUEUED_AT_MOST)
    for turn in ended.exclude(status=TurnStatus.WITHDRAWN).defer("text", "checkpoint").order_by("pk"):
        yield turn.owner_id, end_of(turn)


def end_of(turn: Turn) -> Notification:
    """Return what tells the end of a turn, by its row."""
    event = last_event(turn.chat_session_id, turn.run_id, ending_of(turn))
    return Notification.of(turn.chat_session_id, turn.run_id, turn.last_seq, event)


def _sessions(user_ids: Collection[int], since: Any) -> Iterator[tuple[int, UUID, str, Any]]:
    active = ChatSession.objects.filter(owner__in=user_ids, updated_at__gte=since).select_related("stamp")
    new = set(active.filter(created_at__gte=since).values_list("pk", flat=True))
    for session in active.order_by("updated_at"):
        name = "session.created" if session.pk in new else "session.updated"
        yield session.owner_id, session.pk, name, session_shape(session)


def _messages(user_ids: Collection[int], since: Any) -> Iterator[tuple[int, UUID, str, Any]]:
    turns = Turn.objects.filter(owner__in=user_ids, created_at__gte=since - _QUEUED_AT_MOST)
    told = list(Message.objects.filter(turn__in=turns, created_at__gte=since).order_by("pk"))
    for message, shape in zip(told, message_shapes(told), strict=True):
        yield message.owner_id, message.chat_session_id, "message.created", shape


def _queue(user_ids: Collection[int], since: Any) -> Iterator[tuple[int, UUID, str, Any]]:
    turns: QuerySet[Turn] = Turn.objects.filter(owner__in=user_ids).order_by("pk")
    for turn in turns.filter(status=TurnStatus.QUEUED, created_at__gte=since):
        yield turn.owner_id, turn.chat_session_id, "turn.queued", queued_shape(turn)
    for turn in turns.filter(status=TurnStatus.WITHDRAWN, ended_at__gte=since):
        yield turn.owner_id, turn.chat_session_id, "turn.withdrawn", queued_shape(turn)
