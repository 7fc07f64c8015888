"""The shape of a file on the wire, and its address."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from pydantic import Field

from sessions_app.conversations.shape import Shape, is_none
from sessions_app.llm.content.parts import FileReference, Parts
from sessions_app.models import UserFile


class FileShape(Shape):
    """A file of a user: its name, and what was found in its bytes.

    ``width`` and ``height`` are those of a picture, in pixels; ``pages`` those of a document (sheets, slides);
    ``text_characters`` are told to the model. ``notice`` says what of it is not. ``url`` has its bytes, and with
    ``?thumbnail`` a small picture.
    """

    id: UUID
    name: str
    media_type: str
    size: int
    width: int | None = Field(default=None, exclude_if=is_none)
    height: int | None = Field(default=None, exclude_if=is_none)
    pages: int | None = Field(default=None, exclude_if=is_none)
    text_characters: int | None = Field(default=None, exclude_if=is_none)
    notice: str | None = Field(default=None, exclude_if=is_none)
    url: str


def url_of(file_id: UUID | str) -> str:
    """Return the address of a file: beside the page of the chat, also where that is under a prefix."""
    return f"{reverse('chat')}api/files/{file_id}"


def reference_of(file: UserFile) -> FileReference:
    """Return the part that a message has for a file; its content is loaded."""
    content = file.content
    return FileReference(
        id=str(file.pk),
        name=file.name,
        media_type=content.media_type,
        size=content.size,
        width=content.width,
        height=content.height,
        pages=content.pages,
        characters=content.text_characters or None,
        notice=content.notice or None,
        folder=content.folder.hex,
        text=content.text_digest or None,
        images=tuple(content.images),
        image_type=content.image_type or None,
        digest=content.digest,
    )


def file_shape(part: FileReference) -> FileShape:
    """Return the shape of a message's file."""
    return FileShape(
        id=UUID(part.id),
        name=part.name,
        media_type=part.media_type,
        size=part.size,
        width=part.width,
        height=part.height,
        pages=part.pages,
        text_characters=part.characters,
        notice=part.notice,
        url=url_of(part.id),
    )


def file_shapes(parts: Parts) -> list[FileShape]:
    """Return the shapes of a message's files, in their order."""
    return [file_shape(part) for part in parts if isinstance(part, FileReference) and part.folder]
