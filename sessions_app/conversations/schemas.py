"""The shapes on the wire of messages and turns.

Shapes are built here and in the modules beside this one, and nowhere else, so that answers, notifications and
``/api/openrpc.json`` agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from sessions_app.conversations.file_schemas import FileShape, file_shapes
from sessions_app.conversations.ledger_schemas import LedgerShape
from sessions_app.conversations.shape import Shape, is_none
from sessions_app.llm.content.codec import is_readable, known
from sessions_app.llm.content.errors import WAY_OUT
from sessions_app.llm.content.parts import Parts, reasoning_of, tool_calls, tool_results
from sessions_app.llm.finish import Finish
from sessions_app.llm.tools.remembering import REMEMBER
from sessions_app.llm.tools.sources import TOOL_ERROR
from sessions_app.models import Message, MessageRole, Turn, TurnKind, TurnStatus


def _is_message(kind: object) -> bool:
    return kind == TurnKind.MESSAGE


def _is_false(value: object) -> bool:
    return value is False


class ToolCallShape(Shape):
    """A call that an assistant's message made; ``arguments`` is the model's own JSON text.

    ``client``: the tool is one that a program has brought and runs itself. ``waits``: its result is still to come from
    there, unless something else was said by now. ``approval`` says how a call stands that a person was asked about,
    ``note`` what they said with it; ``always``: later calls of the tool in this session were approved as well.
    """

    id: str
    name: str
    arguments: str
    client: bool = Field(default=False, exclude_if=_is_false)
    waits: bool = Field(default=False, exclude_if=_is_false)
    approval: Literal["waiting", "approved", "refused"] | None = Field(default=None, exclude_if=is_none)
    note: str | None = Field(default=None, exclude_if=is_none)
    always: bool = Field(default=False, exclude_if=_is_false)


class ErrorShape(Shape):
    """Why a turn has no answer, or one that broke off: RUN_ERROR's code, and its sentence for people."""

    code: str
    text: str


UNREADABLE = ErrorShape(code="internal", text=f"A part of this message could not be read. {WAY_OUT}")
"""What a message says whose other content another program has broken, or a later release has stored."""


class MessageShape(Shape):
    """One message of the conversation shown.

    ``position`` is null while the message is queued. ``alternatives`` are the ids of the other
    messages that stand in the same place, in other branches, oldest first; ``place`` is which of all
    of them this one is by age, from 1. ``kind`` is null of what was said, else what this message is instead: the
    ``summary`` that the model is sent in the place of what came before, or a ``note`` of the host to the model.
    ``model`` is who answered, ``rating`` what the user thinks of it.
    ``files`` are those that it was said with. ``tool_calls`` and ``tool_call_id`` tie an assistant's calls to the tool
    messages that answer them. The message that ended a turn has the turn's ``ledger``, where its provider has counted
    anything. ``reasoning`` is what the model let be seen of its thoughts. ``proposal`` is how a memory stands that a
    call of the tool ``remember`` has proposed, of that call's result. ``finish`` says why an answer is not whole
    although its provider ended it as it should, ``error`` why it broke off; of a turn without an answer, the user's
    message has the error.
    """

    id: UUID
    position: int | None
    role: Literal["user", "assistant", "tool"]
    text: str
    status: Literal["complete", "stopped", "interrupted", "failed"]
    created_at: datetime
    alternatives: list[UUID]
    place: int = 1
    kind: Literal["summary", "note"] | None = None
    model: str | None = None
    rating: Literal[1, -1] | None = None
    proposal: Literal["open", "saved", "refused"] | None = Field(default=None, exclude_if=is_none)
    reasoning: str | None = None
    finish: Finish | None = None
    error: ErrorShape | None = None
    files: list[FileShape] | None = Field(default=None, exclude_if=is_none)
    tool_calls: list[ToolCallShape] | None = Field(default=None, exclude_if=is_none)
    tool_call_id: str | None = Field(default=None, exclude_if=is_none)
    ledger: LedgerShape | None = Field(default=None, exclude_if=is_none)


class QueuedShape(Shape):
    """A turn that was asked for and has not begun; ``text`` is empty where its kind brings no message.

    Without ``kind`` it is one for a message. ``error``: why it was withdrawn, where its user has not done that.
    """

    run_id: UUID
    message_id: UUID
    text: str
    kind: TurnKind = Field(default=TurnKind.MESSAGE, exclude_if=_is_message)
    files: list[FileShape] | None = Field(default=None, exclude_if=is_none)
    error: ErrorShape | None = Field(default=None, exclude_if=is_none)


class TurnShape(Shape):
    """How a turn stands; ``message_id`` is the id that its answer has, or would have.

    Without ``kind`` it is one for a message.
    """

    session_id: UUID
    run_id: UUID
    status: TurnStatus
    message_id: UUID
    error: ErrorShape | None
    kind: TurnKind = Field(default=TurnKind.MESSAGE, exclude_if=_is_message)


class TranscriptShape(Shape):
    """Another program has changed what a session holds; ``revision`` is the present one."""

    session_id: UUID
    revision: int


def _tool_fields(role: str, parts: Parts) -> dict[str, Any]:
    """Return what a message says of tool calls."""
    if role == MessageRole.TOOL:
        result = next(iter(tool_results(parts)), None)
        return {"tool_call_id": result and result.id}
    calls = [
        ToolCallShape(id=call.id, name=call.name, arguments=call.arguments, client=call.client)
        for call in tool_calls(parts)
    ]
    return {"tool_calls": calls or None}


def proposes(message: Message) -> bool:
    """Tell whether a message is the result of a call that has proposed something for the user's memory."""
    if message.role != MessageRole.TOOL or message.text.startswith(TOOL_ERROR):
        return False
    return any(result.name == REMEMBER and not result.client for result in tool_results(known(message.parts)))


def message_shape(message: Message) -> MessageShape:
    """Return a stored message's shape: its text, what this release knows of its other content, and whether that is all.

    ``outcomes`` adds what other rows say of it.
    """
    parts = known(message.parts)
    return MessageShape(
        id=message.public_id,
        position=message.position,
        role=message.role,
        text=message.text,
        status=message.status,
        created_at=message.created_at,
        alternatives=[],
        kind=message.kind or None,
        reasoning=reasoning_of(parts) or None,
        finish=message.finish or None,
        error=None if is_readable(message.parts) else UNREADABLE,
        proposal="open" if proposes(message) else None,
        files=file_shapes(parts) or None,
        **_tool_fields(message.role, parts),
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
        files=file_shapes(known(turn.parts)) or None,
    )


def queued_shape(turn: Turn) -> QueuedShape:
    """Return the shape of a queued turn."""
    files = file_shapes(known(turn.parts)) or None
    told = {"run_id": turn.run_id, "message_id": turn.message_id, "text": turn.text}
    error = ErrorShape(code=turn.error_code, text=turn.error_text) if turn.error_code else None
    return QueuedShape(**told, kind=TurnKind(turn.kind), files=files, error=error)
