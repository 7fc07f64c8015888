"""Read a chat for its export: its head first, then its messages in pieces, one hop each.

What is written to it meanwhile is not part of the export. A chat that is deleted meanwhile ends it: NotFound.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from sessions_app.conversations import access, attachments, branches
from sessions_app.conversations.file_schemas import FileShape, file_shape, reference_of
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.models import Branch, ChatSession, Message, SessionName, UserFile
from sessions_app.transfer.seals import sealed
from sessions_app.transfer.shapes import BranchRecord, MessageRecord, PrefixRecord, SessionHead

PREFIX = "prefix"
"""What the seal of a prefix is for."""

ROWS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Exported:
    """What is read of a chat at first; ``messages`` are the keys of those that its export has."""

    head: SessionHead
    branches: list[BranchRecord]
    files: list[FileShape]
    messages: list[int]


def head(user_id: int, session_id: UUID) -> Exported:
    """Return all of a chat but its messages. Raises NotFound."""
    chat_session = access.chat_session(user_id, session_id)
    keys = Message.objects.filter(chat_session=session_id).order_by("pk").values_list("pk", flat=True)
    return Exported(_head_of(chat_session), _branches(session_id), _files(user_id, session_id), list(keys))


def _head_of(chat_session: ChatSession) -> SessionHead:
    profile = chat_session.profile
    names = SessionName.objects.filter(chat_session=chat_session).order_by("pk").values_list("name", flat=True)
    return SessionHead(
        id=chat_session.pk,
        title=chat_session.title,
        title_by=chat_session.title_by,
        created_at=chat_session.created_at,
        updated_at=chat_session.updated_at,
        archived=chat_session.archived,
        pinned=chat_session.pinned,
        memory=chat_session.memory,
        profile=profile.name if profile else None,
        model=profile.effective_model if profile else None,
        active_branch=chat_session.active_branch_id,
        prefix=_prefix_of(chat_session.frozen_prefix),
        client_prompt=chat_session.client_prompt or None,
        client_tools=chat_session.client_tools or None,
        names=list(names) or None,
        metadata=chat_session.metadata,
    )


def _prefix_of(frozen: str) -> PrefixRecord:
    try:
        own = FrozenPrefix.from_json(frozen)
    except ValueError:
        own = FrozenPrefix("", ())  # another program has written what is no prefix
    return PrefixRecord(
        digest=hashlib.sha256(frozen.encode()).hexdigest(),
        sealed=sealed(PREFIX, frozen),
        instructions=own.instructions,
        memories=list(own.memories),
    )


def _branches(session_id: UUID) -> list[BranchRecord]:
    """Return the branches, each after its parent."""
    rows = Branch.objects.filter(chat_session=session_id).order_by("created_at", "pk")
    waiting, told, placed = list(rows), [], set[UUID]()
    while waiting:
        ready = [row for row in waiting if row.parent_id is None or row.parent_id in placed]
        # Where the parents form a circle (damaged data), what is left has no place.
        if not ready:
            break
        placed.update(row.pk for row in ready)
        told += [
            BranchRecord(id=row.pk, parent=row.parent_id, fork_position=row.fork_position, created_at=row.created_at)
            for row in ready
        ]
        waiting = [row for row in waiting if row.pk not in placed]
    return told


def _files(user_id: int, session_id: UUID) -> list[FileShape]:
    rows = UserFile.objects.select_related("content").filter(
        owner_id=user_id, pk__in=attachments.of_session(session_id)
    )
    return [file_shape(reference_of(file)) for file in rows.order_by("created_at", "pk")]


def messages(user_id: int, session_id: UUID, keys: Sequence[int]) -> list[MessageRecord]:
    """Return those of the messages that are still there, in order. Raises NotFound."""
    access.chat_session(user_id, session_id)
    rows = _with_models(Message.objects.filter(pk__in=keys, chat_session=session_id)).order_by("pk")
    return [_record(row) for row in rows]


def line(user_id: int, session_id: UUID, after: int) -> tuple[list[Message], bool]:
    """Return the next messages of the active line, and whether there are more. Raises NotFound."""
    chat_session = access.chat_session(user_id, session_id)
    found, has_more = branches.following(chat_session, ROWS_AT_ONCE, after=after)
    models = {row.pk: row.answered_by for row in _with_models(Message.objects.filter(pk__in=[row.pk for row in found]))}
    for row in found:
        row.model = models.get(row.pk)
    return found, has_more


def _with_models(rows: QuerySet[Message]) -> QuerySet[Any]:
    """Annotate messages with the model that has said them, and what their user thinks of them."""
    answered = Coalesce("model", NullIf("turn__model", Value("")))
    return rows.annotate(answered_by=answered, rating=F("rated__rating"), comment=F("rated__comment"))


def _record(row: Any) -> MessageRecord:
    return MessageRecord(
        id=row.public_id,
        branch=row.branch_id,
        position=row.position,
        role=row.role,
        text=row.text,
        parts=row.parts,
        status=row.status,
        finish=row.finish or None,
        kind=row.kind or None,
        model=row.answered_by,
        said=row.line_digest,
        created_at=row.created_at,
        rating=row.rating,
        comment=row.comment or None,
    )
