"""Files of a user, added as the site adds them."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from uuid import UUID

from sessions_app import database
from sessions_app.conversations.file_schemas import FileShape
from sessions_app.files import adding
from sessions_app.files.keeping import Upload


async def add(user_id: int, content: bytes, name: str = "notes.txt") -> FileShape:
    """Add a file."""
    upload = Upload(name, len(content), hashlib.sha256(content).hexdigest())
    file = await asyncio.to_thread(tempfile.TemporaryFile)
    try:
        await asyncio.to_thread(file.write, content)
        await asyncio.to_thread(file.flush)
        return await adding.add(user_id, upload, file, database.of(user_id))
    finally:
        file.close()


async def add_all(user_id: int, *contents: bytes) -> list[UUID]:
    """Add files, and return their ids."""
    return [(await add(user_id, content, f"file{number}")).id for number, content in enumerate(contents)]
