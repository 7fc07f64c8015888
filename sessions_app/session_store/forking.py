"""Make a session of the beginning of another: the same prefix, the same rows, with ids of their own.

The rows say themselves which model has answered: their turns stay with the other session.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Length, NullIf

from sessions_app.conversations import access, attachments, branches, storage
from sessions_app.conversations.said_rows import is_own_result
from sessions_app.conversations.session_schemas import SessionShape, session_shape
from sessions_app.journal import Fact, record
from sessions_app.models import ChatSession, FactName, Message, MessageRole
from sessions_app.session_store.inserting import insert_session

_ROWS_AT_ONCE, _SEGMENTS = 500, 50
_COPIED = ("profile_id", "title", "title_by", "frozen_prefix", "memory", "client_prompt", "client_tools")


def fork(user_id: int, message_id: UUID) -> SessionShape:
    """Copy a session's line up to and with a message into a new session, and return that.

    The results of tools that the message called go with it: no provider takes a call without its result. Raises
    NotFound, TooMany.
    """
    source = access.chat_session(user_id, access.message(user_id, message_id).chat_session_id, lock=True)
    message = with_results(access.message(user_id, message_id), of_client=True)
    access.require_user(user_id)
    made = copy_line(source, message)
    shape = session_shape(made)
    record(Fact(user_id, FactName.SESSION_CREATED, made.pk, value=shape))
    return shape


def copy_line(source: ChatSession, message: Message, **columns: Any) -> ChatSession:
    """Return a new session that holds a session's line up to and with a message.

    ``columns`` are those that it does not have of the source. The caller holds the locks of the source and of its user.
    Raises TooMany.
    """
    user_id = source.owner_id
    storage.admit_session(user_id)
    segments = branches.line_to(message)
    groups = [_rows(segments[start : start + _SEGMENTS]) for start in range(0, len(segments), _SEGMENTS)]
    storage.admit_text(user_id, sum(map(_size, groups)))
    made = insert_session(user_id, **{column: getattr(source, column) for column in _COPIED} | columns)
    for group in groups:
        told = group.annotate(answered_by=Coalesce("model", NullIf("turn__model", Value(""))))
        rows = _copies(told.order_by("position").iterator(_ROWS_AT_ONCE), made)
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            attachments.note(Message.objects.bulk_create(some))
    return access.chat_session(user_id, made.pk)


def with_results(message: Message, *, of_client: bool) -> Message:
    """Return the message, or the last of the tools' results that follow it; ``of_client``: also of the client's."""
    later = Message.objects.filter(branch_id=message.branch_id, position__gt=message.position)
    for following in later.order_by("position").iterator(_ROWS_AT_ONCE):
        if following.role != MessageRole.TOOL or not (of_client or is_own_result(following)):
            break
        message = following
    return message


def _rows(segments: Iterable[branches.Segment]) -> QuerySet[Message]:
    """Return the rows of some segments, so that a line of hundreds of forks is copied by a few statements."""
    condition = Q(pk__in=[])
    for segment in segments:
        place = {"branch": segment.branch_id, "position__gte": segment.start, "position__lt": segment.end}
        condition |= Q(**place, chat_session=segment.session_id)
    return Message.objects.filter(condition)


def _size(rows: QuerySet[Message]) -> int:
    size = Length("text") + Coalesce(Length("parts"), 0)
    total: int | None = rows.aggregate(total=Sum(size))["total"]
    return total or 0


def _copies(rows: Iterator[Any], made: ChatSession) -> Iterator[Message]:
    """Yield copies of messages, each with the model that has ``answered_by`` it."""
    for row in rows:
        yield Message(
            owner_id=row.owner_id,
            chat_session=made,
            branch_id=made.active_branch_id,
            position=row.position,
            role=row.role,
            text=row.text,
            parts=row.parts,
            status=row.status,
            finish=row.finish,
            kind=row.kind,
            model=row.answered_by,
            created_at=row.created_at,
            line_digest=row.line_digest,
        )
