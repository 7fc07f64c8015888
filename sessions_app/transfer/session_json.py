"""Write a chat as JSON, whole: all branches, and all that its messages hold. In pieces: it may be long."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from uuid import UUID

from sessions_app.conversations.file_schemas import FileShape
from sessions_app.database import Door
from sessions_app.transfer import rows
from sessions_app.transfer.rows import ROWS_AT_ONCE, Exported
from sessions_app.transfer.shapes import FORMAT, VERSION, FileRecord, Record

Link = Callable[[FileShape], str]
"""Returns where the bytes of a file are, as an export says it."""


async def pieces(door: Door, user_id: int, exported: Exported, link: Link) -> AsyncIterator[bytes]:
    """Yield the document piece by piece. Raises NotFound where the chat is deleted meanwhile."""
    session_id: UUID = exported.head.id
    files = [_file(shape, link(shape)) for shape in exported.files]
    begun = {"format": FORMAT, "version": VERSION}
    yield json.dumps(begun).encode()[:-1] + b',\n"session":' + exported.head.to_json()
    yield b',\n"branches":[' + _lines(exported.branches) + b'],\n"files":[' + _lines(files) + b'],\n"messages":['
    for start in range(0, len(exported.messages), ROWS_AT_ONCE):
        some = await door.read(rows.messages, user_id, session_id, exported.messages[start : start + ROWS_AT_ONCE])
        if some:
            yield (b"\n" if start == 0 else b",\n") + b",\n".join(row.to_json() for row in some)
    yield b"]}\n"


def _lines(records: Iterable[Record]) -> bytes:
    return b",".join(b"\n" + record.to_json() for record in records)


def _file(shape: FileShape, url: str) -> FileRecord:
    return FileRecord(id=shape.id, name=shape.name, media_type=shape.media_type, size=shape.size, url=url)
