"""The files that a program sends within one request: taken out of its body, and kept where a message is new.

A file is the base64 in a data URL, or one that the user has already, by its id or its address here. Nothing is fetched
from an address that a program names.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import mimetypes
import re
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from uuid import UUID

from django.conf import settings

from sessions_app import database
from sessions_app.api.auth import Caller
from sessions_app.api.method_types import MAX_FILES
from sessions_app.conversations import attachments
from sessions_app.conversations.file_schemas import url_of
from sessions_app.conversations.line_digests import SaidFile
from sessions_app.errors import NotFound
from sessions_app.extraction.results import Unreadable
from sessions_app.files import adding, brought, clearing
from sessions_app.files.keeping import Upload
from sessions_app.files.store import StoreFull
from sessions_app.http_api.errors import NO_RETRY, ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.pieces import Body
from sessions_app.http_api.spool import FileSpool
from sessions_app.http_api.taking_out import MIN_BYTES, digest_in, taken_out

logger = logging.getLogger(__name__)

MAX_FILES_OF_REQUEST = 200
"""All that was said is sent each time, with its files."""

FULL_FILES = 2
"""So many files of the largest size may come in one request."""

LONGEST_TEXTS = 16 * 1024 * 1024
"""Bytes of a body without its files."""

_DATA = re.compile(r"data:([^,;]*)(?:;[^,;]*)*?(;base64)?,", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)

REMOTE = "This host fetches nothing for a program: send the file itself, as a data URL (data:image/png;base64,...)."
NO_DATA = "Send the file as a data URL: data:image/png;base64,..."
FULL = "The disk of this site is full. Nothing was kept; everything else is as it was."


def longest_body() -> int:
    """Return the bytes of the largest body, with the base64 of its files."""
    return LONGEST_TEXTS + FULL_FILES * settings.HERMES_MAX_FILE * 4 // 3


@asynccontextmanager
async def sent_files(exchange: Exchange, caller: Caller) -> AsyncIterator[SentFiles]:
    """Give the files of a request; where it fails, those that were kept for it are removed."""
    files = SentFiles(exchange, caller)
    try:
        yield files
    except BaseException:
        await files.let_go()
        raise
    finally:
        await asyncio.to_thread(files.close)


class SentFiles:
    """The files of one request. What is not a coroutine is for threads that wait for it."""

    def __init__(self, exchange: Exchange, caller: Caller) -> None:
        self._exchange = exchange
        self._caller = caller
        self._loop = asyncio.get_running_loop()
        largest: int = settings.HERMES_MAX_FILE
        self._spool = FileSpool(largest, FULL_FILES * largest)
        self._params: dict[str, str] = {}
        self._count = 0
        self._kept: list[UUID] = []

    async def body(self) -> bytes:
        """Return the body without its files. Raises ApiError, Gone."""
        self._exchange.check_json()
        body = Body(self._exchange.receive, self._loop)
        with _full_disk():
            return await asyncio.to_thread(taken_out, body.read, self._spool, LONGEST_TEXTS)

    def sent(self, value: str, param: str, name: str = "", *, plain: str | None = None) -> SaidFile:
        """Return the file that is sent as a text, or named by it. Raises ApiError, which names ``param``.

        ``plain`` is the media type of base64 without the head of a data URL, None where that is not taken. ``name`` is
        what the program calls it.
        """
        self._count_one(param)
        head = _DATA.match(value)
        if head is not None and head[2]:
            return self._spooled(value[head.end() :], param, name or _name_of(head[1]))
        if (file_id := _own_id(value)) is not None:
            return self._own(file_id, param)
        if _SCHEME.match(value) or plain is None:
            raise ApiError(400, NO_DATA if head else REMOTE, code="unsupported_value", param=param)
        return self._spooled(value, param, name or _name_of(plain))

    def named(self, file_id: str, param: str) -> SaidFile:
        """Return a file that the user has already, by its id. Raises ApiError."""
        self._count_one(param)
        return self._own(file_id, param)

    def check_message(self, files: Sequence[SaidFile], param: str) -> tuple[SaidFile, ...]:
        """Return the files of one message. Raises ApiError where they are too many."""
        if len(files) > MAX_FILES:
            raise ApiError(400, f"{len(files)} files; a message may have {MAX_FILES}.", param=param)
        return tuple(files)

    def _count_one(self, param: str) -> None:
        self._count += 1
        if self._count > MAX_FILES_OF_REQUEST:
            raise ApiError(400, f"More than {MAX_FILES_OF_REQUEST} files in one request.", param=param)

    def _spooled(self, base64: str, param: str, name: str) -> SaidFile:
        if (digest := digest_in(base64)) is None:
            if not base64.isascii() or len(base64) > 2 * MIN_BYTES:
                raise ApiError(400, "The file is not base64.", code="invalid_base64", param=param)
            with _full_disk():
                digest = self._spool.add([base64.encode()], param).digest
        self._params.setdefault(digest, param)
        return SaidFile(digest, name)

    def _own(self, file_id: str, param: str) -> SaidFile:
        if not _ID.fullmatch(file_id):
            raise _no_file(param)
        found = self._caller.read(brought.files_of, self._caller.user_id, [UUID(file_id)])
        try:
            [file] = asyncio.run_coroutine_threadsafe(found, self._loop).result()
        except NotFound:
            raise _no_file(param) from None
        self._params.setdefault(file.digest, param)
        return file

    async def keep(self, files: Collection[SaidFile]) -> None:
        """Add files of the request to those of its user. Raises ApiError, CommandError, Unauthorised."""
        for file in files:
            param = self._params.get(file.digest, "")
            if (spooled := self._spool.get(file.digest)) is None:
                raise _no_file(param)
            upload = Upload(file.name, spooled.size, spooled.digest)
            with ExitStack() as stack, _full_disk():
                copy = await asyncio.to_thread(stack.enter_context, self._spool.copy(spooled))
                try:
                    shape = await adding.add(self._caller.user_id, upload, copy, self._caller)
                except Unreadable as unreadable:
                    raise ApiError(400, unreadable.text, code="unreadable_file", param=param) from None
                self._kept.append(shape.id)

    async def let_go(self) -> None:
        """Remove those of the files kept that no message has got."""
        if self._kept:
            user_id = self._caller.user_id
            await database.of(user_id).write(attachments.release, user_id, self._kept)
            await clearing.tidy()

    def close(self) -> None:
        """Forget what was sent."""
        self._spool.close()


@contextmanager
def _full_disk() -> Iterator[None]:
    """Say so where the disk is full. Raises ApiError."""
    try:
        yield
    except (StoreFull, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        logger.error("a file could not be kept: the disk is full")
        raise ApiError(507, FULL, kind="server_error", code="disk_full", headers=NO_RETRY) from None


def _no_file(param: str) -> ApiError:
    return ApiError(400, "You have no such file.", code="file_not_found", param=param)


def _own_id(value: str) -> str | None:
    """Return the id in an address of this host's files, None for any other text."""
    root = url_of("")
    return value.removeprefix(root) if value.startswith(root) else None


def _name_of(media_type: str) -> str:
    """Return what a file is called to which a program gives no name."""
    stem = "image" if media_type.startswith("image/") else "file"
    return stem + (mimetypes.guess_extension(media_type) or "")
