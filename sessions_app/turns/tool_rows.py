"""The rows of tools' results: what they say, and the pictures that they have brought, kept as files of the user."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import tempfile
from typing import IO, cast
from uuid import UUID

from django.conf import settings

from sessions_app import database
from sessions_app.conversations import attachments
from sessions_app.conversations.transcript import NewMessage
from sessions_app.errors import CommandError
from sessions_app.extraction.results import Unreadable
from sessions_app.files import adding
from sessions_app.files.keeping import Upload
from sessions_app.files.store import StoreFull
from sessions_app.llm.content.parts import FileReference, ToolCall
from sessions_app.llm.content.rows import tool_row
from sessions_app.llm.content.unicode import clean
from sessions_app.llm.tools.sources import ToolImage, ToolOutput
from sessions_app.models import MessageRole

logger = logging.getLogger(__name__)

NOT_KEPT = "[A picture was left out: {}]"
"""What stands in the place of a picture that could not be kept, or is none."""


async def result_row(owner_id: int, call: ToolCall, output: ToolOutput) -> NewMessage:
    """Return the row of a call's result; its pictures are kept, and belong to it as soon as it is stored."""
    texts, files = [output.text], list[FileReference]()
    for number, image in enumerate(output.images, start=1):
        found = await _kept(owner_id, f"{call.name}-{number}", image)
        if isinstance(found, FileReference):
            files.append(found)
        else:
            texts.append(NOT_KEPT.format(found))
    row = tool_row(call.id, call.name, clean("\n\n".join(filter(str.strip, texts))))
    return NewMessage(MessageRole.TOOL, row.text, (*row.parts, *files))


async def _kept(owner_id: int, name: str, image: ToolImage) -> FileReference | str:
    """Keep a picture, or say why not."""
    if len(image.content) > settings.HERMES_MAX_FILE:
        return "it is larger than files may be."
    try:
        file = await _added(owner_id, name, image)
    except Unreadable as unreadable:
        return unreadable.text
    except CommandError as refused:
        return refused.text
    except (StoreFull, OSError) as error:
        logger.error("a tool's picture could not be kept", exc_info=error)
        return "it could not be kept."
    return file if file.images and file.media_type.startswith("image/") else "it is none."


async def _added(owner_id: int, name: str, image: ToolImage) -> FileReference:
    upload = Upload(name, len(image.content), hashlib.sha256(image.content).hexdigest(), from_tool=True)
    door = database.of(owner_id)
    with await asyncio.to_thread(_written, image.content) as file:
        shape = await adding.add(owner_id, upload, file, door)
    return await door.read(_reference, owner_id, shape.id)


def _written(content: bytes) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever called closes it
    file.write(content)
    file.seek(0)
    return file


def _reference(owner_id: int, file_id: UUID) -> FileReference:
    [part] = attachments.parts_of(attachments.find(owner_id, [file_id]))
    return cast(FileReference, part)
