"""Pictures for models whose wire is not known: their messages are given them as objects."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sessions_app.llm.content.files import name_of

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, UserContent


def shown(messages: list[ModelMessage], images: Mapping[str, bytes]) -> list[ModelMessage]:
    """Messages with pictures (base64 by their names) in the places of their stand-ins."""
    return [_message(message, images) for message in messages] if images else messages


def _message(message: ModelMessage, images: Mapping[str, bytes]) -> ModelMessage:
    if message.kind != "request":
        return message
    parts = [
        replace(part, content=_content(part.content, images))
        if part.part_kind == "user-prompt" and not isinstance(part.content, str)
        else part
        for part in message.parts
    ]
    return replace(message, parts=parts)


def _content(content: Iterable[UserContent], images: Mapping[str, bytes]) -> list[UserContent]:
    from pydantic_ai.messages import BinaryContent

    pieces: list[UserContent] = []
    for piece in content:
        name = name_of(piece.data) if isinstance(piece, BinaryContent) else None
        if name is not None and isinstance(piece, BinaryContent):
            pieces.append(BinaryContent(b64decode(images[name]), media_type=piece.media_type))
        else:
            pieces.append(piece)
    return pieces
