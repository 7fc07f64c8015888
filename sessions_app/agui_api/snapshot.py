"""What a thread holds, as AG-UI's messages: what is shown of it, with the ids that its client knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from ag_ui.core import (
    AssistantMessage,
    DocumentPart,
    FunctionCall,
    ImagePart,
    Message,
    MessagesSnapshotEvent,
    ReasoningMessage,
    TextPart,
    ToolCall,
    ToolMessage,
    UrlSource,
    UserMessage,
)
from ag_ui.core.types import ContentPart
from ag_ui.encoder import EventEncoder

from sessions_app.conversations.file_schemas import FileShape
from sessions_app.conversations.schemas import MessageShape, QueuedShape
from sessions_app.turn_store.opening import read_snapshot
from sessions_app.turn_store.thread_history import names_of

MAX_MESSAGES = 5_000
"""The newest of a thread that are told; as many as a request may bring."""


def read_again(user_id: int, session_id: UUID) -> bytes:
    """Read a thread of which the client knows most, and return the event that tells it as it is sent.

    Without thoughts: a client puts what is new to it behind what it has. Raises NotFound.
    """
    snapshot = read_snapshot(user_id, session_id, MAX_MESSAGES)
    shapes = [each.model_copy(update={"reasoning": None}) for each in snapshot.messages]
    return encoded(shapes, snapshot.queued, names_of(session_id))


def encoded(shapes: Sequence[MessageShape], queued: Sequence[QueuedShape], names: Mapping[UUID, str]) -> bytes:
    """Return the event that tells these messages as it is sent. For a thread: they may be megabytes."""
    messages = [*_messages(shapes, names), *_waiting(queued, names)]
    return EventEncoder().encode(MessagesSnapshotEvent(messages=messages)).encode()


def _waiting(queued: Iterable[QueuedShape], names: Mapping[UUID, str]) -> Iterator[Message]:
    for each in queued:
        name = names.get(each.message_id, str(each.message_id))
        yield UserMessage(id=name, content=_content(each.text, each.files))


def _messages(shapes: Iterable[MessageShape], names: Mapping[UUID, str]) -> Iterator[Message]:
    """Yield what was said. Summaries and notes are the host's and the model's: AG-UI has no word for them."""
    for shape in shapes:
        if shape.kind is None:
            yield from _said(shape, names.get(shape.id, str(shape.id)))


def _content(text: str, files: Sequence[FileShape] | None) -> str | list[ContentPart]:
    """Return what a user has said: with files, in parts that name their addresses here."""
    if not files:
        return text
    return [*([TextPart(text=text)] if text.strip() else []), *(_file(file) for file in files)]


def _file(file: FileShape) -> ImagePart | DocumentPart:
    source, metadata = UrlSource(value=file.url, mime_type=file.media_type), {"filename": file.name}
    if file.media_type.startswith("image/"):
        return ImagePart(source=source, metadata=metadata)
    return DocumentPart(source=source, metadata=metadata)


def _said(shape: MessageShape, name: str) -> Iterator[Message]:
    if shape.role == "user":
        yield UserMessage(id=name, content=_content(shape.text, shape.files))
    elif shape.role == "tool":
        if shape.tool_call_id is not None:
            yield ToolMessage(id=name, content=shape.text, tool_call_id=shape.tool_call_id)
    else:
        if shape.reasoning:
            yield ReasoningMessage(id=f"reasoning-{shape.id}", content=shape.reasoning)
        calls = [
            ToolCall(id=call.id, function=FunctionCall(name=call.name, arguments=call.arguments))
            for call in shape.tool_calls or ()
        ]
        yield AssistantMessage(id=name, content=shape.text, tool_calls=calls or None)
