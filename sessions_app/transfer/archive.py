"""Write a user's account into a ZIP: every chat, every file, the ledger, the account; piece by piece.

``account.json`` comes first and says what the archive is; then ``ledger.csv``, ``sessions/ID.json``,
``markdown/DATE TITLE ID.md`` ``files/ID/NAME`` with ``objects/SHA-256`` that were made of them, and last
``files.json`` with what is known of the files.
"""

from __future__ import annotations

import asyncio
import json
import logging
import zipfile
from collections.abc import AsyncIterator, Callable
from typing import IO, Any
from urllib.parse import quote
from uuid import UUID

from sessions_app import database
from sessions_app.conversations.file_schemas import FileShape
from sessions_app.errors import NotFound
from sessions_app.files import store
from sessions_app.models import FileContent, UserFile
from sessions_app.transfer import account, markdown, rows, session_json
from sessions_app.transfer.shapes import KeptFileRecord

logger = logging.getLogger(__name__)

Progress = Callable[[float], None]
"""Is told how much is done, from 0 to 1."""

MAX_LEFT_OUT = 1_000
"""Things left out that a report names; how many there are it says in any case."""

_PIECE_BYTES = 256 * 1024


async def write(user_id: int, file: IO[bytes], progress: Progress) -> dict[str, Any]:
    """Write the archive of a user to a file, and return the report. Raises OSError."""
    archive = await asyncio.to_thread(zipfile.ZipFile, file, "w", zipfile.ZIP_DEFLATED, compresslevel=4)
    try:
        return await _Writer(user_id, archive, progress).write()
    finally:
        await asyncio.to_thread(archive.close)


class _Writer:
    """Writes an archive, and counts what it has."""

    def __init__(self, user_id: int, archive: zipfile.ZipFile, progress: Progress) -> None:
        self._user_id = user_id
        self._door = database.of(user_id)
        self._archive = archive
        self._progress = progress
        self._counts = {"sessions": 0, "messages": 0, "files": 0}
        self._left_out: list[dict[str, str]] = []
        self._left_out_count = 0
        self._files: list[KeptFileRecord] = []

    async def write(self) -> dict[str, Any]:
        """Write all of it, and return the report."""
        sessions = await self._door.read(account.session_ids, self._user_id)
        files = await self._door.read(account.file_ids, self._user_id)
        total = len(sessions) + len(files)
        told = await self._door.read(account.account, self._user_id)
        await self._put("account.json", _one(json.dumps(told, indent=1).encode()))
        await self._put("ledger.csv", account.ledger(self._door, self._user_id))
        for done, session_id in enumerate(sessions):
            self._progress(done / total)
            await self._put_session(session_id)
        for done, file_id in enumerate(files, len(sessions)):
            self._progress(done / total)
            await self._put_file(file_id)
        listed = b",".join(b"\n" + each.to_json() for each in self._files)
        await self._put("files.json", _one(b"[" + listed + b"]\n"))
        return {**self._counts, "left_out": self._left_out, "left_out_count": self._left_out_count}

    async def _put_session(self, session_id: UUID) -> None:
        try:
            exported = await self._door.read(rows.head, self._user_id, session_id)
            head, form = exported.head, (self._door, self._user_id, exported)
            as_json = session_json.pieces(*form, lambda shape: path_of(shape.id, shape.name))
            await self._put(f"sessions/{head.id}.json", as_json)
            name = f"markdown/{head.created_at:%Y-%m-%d} {markdown.name_of(head.title)} {head.id.hex[:8]}.md"
            await self._put(name, markdown.pieces(*form, _beside))
        except NotFound:
            self._leave_out("session", session_id, "It was deleted meanwhile.")
        else:
            self._counts["sessions"] += 1
            self._counts["messages"] += len(exported.messages)

    async def _put_file(self, file_id: UUID) -> None:
        found = await self._door.read(account.file, self._user_id, file_id)
        if found is None:
            self._leave_out("file", file_id, "It was deleted meanwhile.")
        elif not await asyncio.to_thread(_write_file, self._archive, found):
            self._leave_out("file", file_id, "Its bytes are lost.")
        else:
            self._counts["files"] += 1
            self._files.append(account.file_record(found, path_of(found.pk, found.name)))

    def _leave_out(self, kind: str, id_: UUID, why: str) -> None:
        self._left_out_count += 1
        if len(self._left_out) < MAX_LEFT_OUT:
            self._left_out.append({"kind": kind, "id": str(id_), "why": why})

    async def _put(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """Write a member, whatever its size will be."""
        member = await asyncio.to_thread(self._archive.open, name, "w", force_zip64=True)
        try:
            async for piece in pieces:
                if piece:
                    await asyncio.to_thread(member.write, piece)
        finally:
            await asyncio.to_thread(member.close)


def path_of(file_id: object, name: str) -> str:
    """Return where a file is in the archive."""
    return f"files/{file_id}/{name}"


async def _one(piece: bytes) -> AsyncIterator[bytes]:
    yield piece


def _beside(shape: FileShape) -> str:
    """Return where a file is, seen from the folder of Markdown."""
    return f"../{quote(path_of(shape.id, shape.name))}"


def _write_file(archive: zipfile.ZipFile, file: UserFile) -> bool:
    """Write the bytes of a file, as they are, and what was made of it; False where the store has lost some."""
    content = file.content
    path, made = path_of(file.pk, file.name), made_of(content)
    try:
        _copy(archive, path, content, content.kept)
        for name in made:
            _copy(archive, object_path(name), content, name)
    except FileNotFoundError:
        logger.error("a file is missing in the store of files")
        return False
    if content.text:
        _write_once(archive, object_path(content.text_digest), content.text.encode())
    return True


def made_of(content: FileContent) -> list[str]:
    """Return the names of objects that were made of a file, beside what is given back."""
    return [name for name in dict.fromkeys([content.thumbnail, *content.images]) if name and name != content.kept]


def object_path(digest: str) -> str:
    """Return where an object is in the archive that was made of a file."""
    return f"objects/{digest}"


def _copy(archive: zipfile.ZipFile, path: str, content: FileContent, name: str) -> None:
    """Copy an object into the archive, once. Raises FileNotFoundError."""
    if path in archive.NameToInfo:
        return
    with store.open_object(store.key_of(content.owner_id, content.folder, name)) as source:
        member = zipfile.ZipInfo(path, content.created_at.timetuple()[:6])
        is_text = content.media_type.startswith("text/")
        member.compress_type = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
        with archive.open(member, "w", force_zip64=True) as target:
            while piece := source.read(_PIECE_BYTES):
                target.write(piece)


def _write_once(archive: zipfile.ZipFile, path: str, text: bytes) -> None:
    if path not in archive.NameToInfo:
        archive.writestr(path, text)
