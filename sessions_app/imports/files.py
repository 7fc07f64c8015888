"""Take in the files that the chats of an archive have: as they were made here, where it proves that, else read anew.

One by one, just before the chat that has them: what no chat has is not taken. A file that is there already is used.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, BinaryIO, cast
from uuid import UUID

from django.conf import settings

from sessions_app import database
from sessions_app.conversations import access, attachments, features
from sessions_app.errors import CommandError
from sessions_app.extraction.results import Unreadable
from sessions_app.files import adding, clearing, keeping, store
from sessions_app.files.keeping import Upload
from sessions_app.imports.chats import ARCHIVE_FAULTS, Unusable
from sessions_app.imports.storing import other_id
from sessions_app.models import ContentState, Feature, FileContent, UserFile
from sessions_app.transfer.archive import object_path
from sessions_app.transfer.contents import MadeContent, made_content
from sessions_app.transfer.shapes import KeptFileRecord

_PIECE_BYTES = 256 * 1024


class ArchiveFiles:
    """The files of an archive, by their ids there; lives as long as the import. None where it is no archive."""

    def __init__(self, archive: zipfile.ZipFile | None, records: Iterable[KeptFileRecord]) -> None:
        self._archive = archive
        self._records = {record.id: record for record in records}

    def add(self, records: Iterable[KeptFileRecord]) -> None:
        """Say of more files where they are."""
        self._records |= {record.id: record for record in records}

    async def take(self, user_id: int, file_ids: Iterable[UUID]) -> tuple[dict[UUID, UserFile], dict[UUID, str]]:
        """Take in files, and return them as they are here; and why others could not be taken."""
        taken: dict[UUID, UserFile] = {}
        refused: dict[UUID, str] = {}
        for file_id in dict.fromkeys(file_ids):
            try:
                taken[file_id] = await self._take(user_id, file_id)
            except (Unusable, Unreadable) as unusable:
                refused[file_id] = unusable.why if isinstance(unusable, Unusable) else unusable.text
            except CommandError as error:
                refused[file_id] = error.text
        return taken, refused

    async def _take(self, user_id: int, file_id: UUID) -> UserFile:
        door = database.of(user_id)
        if (known := await door.read(_known, user_id, file_id)) is not None:
            return known
        record = self._records.get(file_id)
        if record is None or self._archive is None:
            raise Unusable("Its bytes are not in the archive.")
        made = made_content(record.sealed)
        if made is not None and made.kept == record.digest:
            if (content := await door.read(_content, user_id, made.digest)) is None:
                content = await self._restore(user_id, self._archive, record, made)
            if content is not None:
                return await door.write(_make, user_id, content, file_id, record.name)
        return await self._add(user_id, self._archive, record)

    async def _restore(
        self, user_id: int, archive: zipfile.ZipFile, record: KeptFileRecord, made: MadeContent
    ) -> FileContent | None:
        """Keep what was made of a file as it is; None where the archive does not have it whole. Raises CommandError."""
        paths = {made.kept: record.url, **{name: object_path(name) for name in made.objects}}
        with ExitStack() as stack:
            reading = _objects(archive, paths, made.stored_size)
            objects = await asyncio.to_thread(stack.enter_context, reading)
            text = await asyncio.to_thread(_text, archive, made)
            if objects is None or text is None:
                return None
            content = FileContent(owner_id=user_id, text=text, **made.model_dump())
            door = database.of(user_id)
            pending = await door.write(keeping.restore, user_id, content)
            try:
                for name, file in objects.items():
                    key = store.key_of(user_id, pending.folder, name)
                    await asyncio.to_thread(store.put, key, cast(BinaryIO, file))
                return await door.write(_finish, user_id, pending)
            except BaseException:
                await door.write(keeping.give_up, pending)
                await clearing.tidy()
                raise

    async def _add(self, user_id: int, archive: zipfile.ZipFile, record: KeptFileRecord) -> UserFile:
        """Take a file as if it were sent. Raises Unusable, Unreadable, CommandError."""
        with ExitStack() as stack:
            reading = _spooled(archive, record.url, settings.HERMES_MAX_FILE)
            file, size, digest = await asyncio.to_thread(stack.enter_context, reading)
            door = database.of(user_id)
            shape = await adding.add(user_id, Upload(record.name, size, digest), file, door)
            return await door.read(keeping.find, user_id, shape.id)


def _known(user_id: int, file_id: UUID) -> UserFile | None:
    rows = UserFile.objects.select_related("content").filter(owner_id=user_id, content__state=ContentState.READY)
    return rows.filter(pk__in=[file_id, other_id(user_id, file_id)]).first()


def _content(user_id: int, digest: str) -> FileContent | None:
    return FileContent.objects.filter(owner_id=user_id, digest=digest, state=ContentState.READY).first()


def _make(user_id: int, content: FileContent, file_id: UUID, name: str) -> UserFile:
    """Make a file of a content, with its own id where that is free. Raises NotFound, Forbidden."""
    access.require_user(user_id)
    features.require(user_id, Feature.FILES)
    pk = other_id(user_id, file_id) if UserFile.objects.filter(pk=file_id).exists() else file_id
    file = UserFile(pk=pk, owner_id=user_id, content=content, name=keeping.kept_name(content, name))
    file.save(force_insert=True)
    return file


def _finish(user_id: int, pending: FileContent) -> FileContent:
    """Say that a content is there whose objects are all written; where another was faster, return that."""
    access.require_user(user_id)
    known = _content(user_id, pending.digest)
    mine = FileContent.objects.filter(pk=pending.pk, state=ContentState.PENDING)
    mine.update(state=ContentState.REMOVED if known else ContentState.READY)
    return known or FileContent.objects.get(pk=pending.pk)


def _text(archive: zipfile.ZipFile, made: MadeContent) -> str | None:
    """Return the text that was made of a file; None where the archive does not have it."""
    if not made.text_digest:
        return ""
    try:
        with _spooled(archive, object_path(made.text_digest), made.stored_size) as (file, _, digest):
            return file.read().decode() if digest == made.text_digest else None
    except Unusable:
        return None


@contextmanager
def _objects(archive: zipfile.ZipFile, paths: Mapping[str, str], largest: int) -> Iterator[dict[str, IO[bytes]] | None]:
    """Give objects by their names, as files without a name; None where one is missing or is another."""
    with ExitStack() as stack:
        found: dict[str, IO[bytes]] | None = {}
        try:
            for name, path in paths.items():
                file, _, digest = stack.enter_context(_spooled(archive, path, largest))
                found = {**found, name: file} if digest == name and found is not None else None
        except Unusable:
            found = None
        yield found


@contextmanager
def _spooled(archive: zipfile.ZipFile, path: str, largest: int) -> Iterator[tuple[IO[bytes], int, str]]:
    """Give a member of an archive as a file without a name, with its size and SHA-256. Raises Unusable."""
    with tempfile.TemporaryFile() as file:
        digest, size = hashlib.sha256(), 0
        try:
            with archive.open(path) as source:
                while piece := source.read(_PIECE_BYTES):
                    size += len(piece)
                    if size > largest:
                        raise Unusable("It is too large.")
                    digest.update(piece)
                    file.write(piece)
        except (KeyError, ValueError, *ARCHIVE_FAULTS):
            raise Unusable("Its bytes are not in the archive.") from None
        file.seek(0)
        yield file, size, digest.hexdigest()


def files_of(parts: object) -> list[UUID]:
    """Return the ids of files among the stored parts of a message."""
    return attachments.ids_in(parts)
