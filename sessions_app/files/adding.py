"""Take a file in: find out what it is, make room for it, write its objects, and only then say that it is there.

What is known already, by its SHA-256, is not read again. A process that is killed at any point leaves a content that is
pending at most, which ``clearing`` removes.
"""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import IO, Any, TypeVar

from sessions_app import database
from sessions_app.conversations.file_schemas import FileShape
from sessions_app.database import Door
from sessions_app.extraction.process import extracted
from sessions_app.extraction.results import Extracted, Piece
from sessions_app.files import clearing, keeping, store
from sessions_app.files.keeping import Upload
from sessions_app.files.names import cleaned, suffix_of
from sessions_app.models import FileContent
from sessions_app.scheduling.threads import FairThreads

R = TypeVar("R")

READERS = 2
"""Files that are read at once, in a process each; of many users they take turns."""


@cache
def _threads() -> FairThreads:
    return FairThreads(READERS, "files")


def close() -> None:
    """End the threads (end of a process, or of a test run)."""
    _threads().close()
    _threads.cache_clear()


async def _in_turn(user_id: int, work: Callable[[], R]) -> R:
    return await asyncio.wrap_future(_threads().submit(user_id, work))


async def add(user_id: int, upload: Upload, file: IO[bytes], door: Door) -> FileShape:
    """Keep a file of a user, which has a descriptor.

    Raises Unreadable, TooMany, NotFound, Forbidden, Conflict, StoreFull.
    """
    if (known := await door.write(keeping.add_known, user_id, upload)) is not None:
        return known
    suffix = suffix_of(cleaned(upload.name))
    with ExitStack() as stack:
        read = extracted(file, suffix)  # type: ignore[arg-type]  # a temporary file is a BinaryIO in all but name
        found, output = await _in_turn(user_id, lambda: stack.enter_context(read))
        pending = await door.write(keeping.reserve, user_id, upload, found)
        try:
            await asyncio.to_thread(_write, pending, found, file, output)
            shape, is_new = await door.write(keeping.finish, user_id, pending, upload.name)
        except BaseException:
            await database.of(user_id).write(keeping.give_up, pending)
            await clearing.tidy()
            raise
        if not is_new:
            await clearing.tidy()
        return shape


def _write(content: FileContent, found: Extracted, file: IO[bytes], output: IO[bytes]) -> None:
    written: set[str] = set()
    for digest, source in _sources(content, found, file, output):
        if digest not in written:
            store.put(store.key_of(content.owner_id, content.folder, digest), source)
            written.add(digest)


def _sources(content: FileContent, found: Extracted, file: IO[bytes], output: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield what is to be written, by its name."""
    if found.kept is None:
        yield content.kept, io.BufferedReader(_Part(file, 0, os.fstat(file.fileno()).st_size))
    for piece in (found.kept, found.thumbnail, *found.images):
        if piece is not None:
            yield piece.digest, io.BufferedReader(_part_of(output, piece))


def _part_of(output: IO[bytes], piece: Piece) -> _Part:
    return _Part(output, piece.start, piece.size)


class _Part(io.RawIOBase):
    """A part of a file, read as if it were one: whoever closes it closes only that."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        super().__init__()
        self._descriptor = file.fileno()
        self._start, self._size, self._place = start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = origin + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._place))
        piece = os.pread(self._descriptor, wanted, self._start + self._place)
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)
