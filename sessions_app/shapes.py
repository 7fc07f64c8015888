"""The shapes of rows on the wire: session, message, queued turn, running turn.

Built here and nowhere else, so that answers, notifications and ``/api/openrpc.json`` agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sessions_app.models import ChatSession, Message, MessageRole, SessionStamp, Turn


class Shape(BaseModel):
    """A JSON object of the contract; nothing undeclared gets in."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SessionShape(Shape):
    """One conversation, without its messages."""

    id: UUID
    title: str
    message_count: int
    revision: int
    created_at: datetime
    updated_at: datetime
    archived: bool
    pinned: bool


def _is_none(value: object) -> bool:
    return value is None


class ToolCallShape(Shape):
    """A call that an assistant's message made; ``arguments`` is the model's own JSON text."""

    id: str
    name: str
    arguments: str


class MessageShape(Shape):
    """One message of the conversation shown.

    ``position`` is null while the message is queued. ``alternatives`` are the ids of the
    messages that stand in the same place of other branches, oldest first. ``tool_calls`` and
    ``tool_call_id`` tie an assistant's calls to the tool messages that answer them.
    """

    id: UUID
    position: int | None
    role: Literal["user", "assistant", "tool"]
    text: str
    status: Literal["complete", "stopped", "interrupted", "failed"]
    created_at: datetime
    alternatives: list[UUID]
    tool_calls: list[ToolCallShape] | None = Field(default=None, exclude_if=_is_none)
    tool_call_id: str | None = Field(default=None, exclude_if=_is_none)


class QueuedShape(Shape):
    """A turn that was asked for and has not begun."""

    run_id: UUID
    message_id: UUID
    text: str


class RunShape(Shape):
    """The running turn: ``text`` with the run events after ``seq`` is the whole answer."""

    run_id: UUID
    message_id: UUID
    text: str
    seq: int


def session_shape(chat_session: ChatSession, stamp: SessionStamp | None = None) -> SessionShape:
    """Return a session's shape; ``stamp`` where the one loaded with it is no longer live."""
    stamp = stamp or chat_session.stamp
    return SessionShape(
        id=chat_session.id,
        title=chat_session.title,
        message_count=stamp.message_count,
        revision=stamp.revision,
        created_at=chat_session.created_at,
        updated_at=chat_session.updated_at,
        archived=chat_session.archived,
        pinned=chat_session.pinned,
    )


def _tool_fields(message: Message) -> dict[str, Any]:
    """Return what a message says of tool calls; see ``sessions_app.agents.history``."""
    if message.role == MessageRole.TOOL:
        return {"tool_call_id": next((part["id"] for part in message.parts or []), None)}
    calls = [
        ToolCallShape(id=part["id"], name=part["name"], arguments=part["arguments"])
        for part in message.parts or []
        if part["kind"] == "call"
    ]
    return {"tool_calls": calls or None}


def message_shape(message: Message, alternatives: list[UUID] | None = None) -> MessageShape:
    """Return a stored message's shape."""
    return MessageShape(
        id=message.public_id,
        position=message.position,
        role=message.role,
        text=message.text,
        status=message.status,
        created_at=message.created_at,
        alternatives=alternatives or [],
        **_tool_fields(message),
    )


def unborn_message_shape(turn: Turn) -> MessageShape:
    """Return the shape of the user's message of a turn that has not begun, or never will."""
    return MessageShape(
        id=turn.message_id,
        position=None,
        role="user",
        text=turn.text,
        status="stopped" if turn.ended_at else "complete",
        created_at=turn.created_at,
        alternatives=[],
    )


def queued_shape(turn: Turn) -> QueuedShape:
    """Return the shape of a queued turn."""
    return QueuedShape(run_id=turn.run_id, message_id=turn.message_id, text=turn.text)
