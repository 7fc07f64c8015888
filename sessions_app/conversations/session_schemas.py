"""The shapes on the wire of a session, and of the profiles that may answer in it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sessions_app.conversations.shape import Shape
from sessions_app.conversations.windows import window
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.models import ChatSession, SessionStamp


class ContextShape(Shape):
    """How full a conversation is: ``tokens`` of the last prompt and its answer, ``limit`` of the model's window.

    Either is null where nobody knows it.
    """

    tokens: int | None
    limit: int | None


class SessionShape(Shape):
    """One conversation, without its messages; ``profile`` is the id of what answers in it, null if it was removed.

    ``memory``: whether the user's memory is told here, where there is one.
    """

    id: UUID
    title: str
    message_count: int
    revision: int
    created_at: datetime
    updated_at: datetime
    archived: bool
    pinned: bool
    memory: bool
    profile: int | None
    context: ContextShape


class ProfileShape(Shape):
    """A session's profile; ``current`` where a session made of it now would begin with the same prompt and tools."""

    name: str
    current: bool


class ChoiceShape(Shape):
    """A profile that a user may choose for a session, or for one answer.

    ``memory``: whether the user's memory is told to it. ``input_price`` is what a million tokens of a prompt cost that
    no cache holds, in US dollars; null where no price is known.
    """

    id: int
    name: str
    description: str
    model: str
    is_default: bool
    memory: bool
    takes_images: bool
    takes_files: bool
    input_price: float | None


def session_shape(chat_session: ChatSession, stamp: SessionStamp | None = None) -> SessionShape:
    """Return the shape of a session whose profile is loaded; ``stamp`` where the one loaded is no longer live."""
    stamp, profile = stamp or chat_session.stamp, chat_session.profile
    last = RequestRecord.from_json(chat_session.last_request)
    return SessionShape(
        id=chat_session.id,
        title=chat_session.title,
        message_count=stamp.message_count,
        revision=stamp.revision,
        created_at=chat_session.created_at,
        updated_at=chat_session.updated_at,
        archived=chat_session.archived,
        pinned=chat_session.pinned,
        memory=chat_session.memory,
        profile=profile.pk if profile else None,
        context=ContextShape(tokens=last.tokens if last else None, limit=window(profile)),
    )
