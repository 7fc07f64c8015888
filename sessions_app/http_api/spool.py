"""Files that come as base64 within JSON: decoded in pieces, one after the other, into one file without a name.

None of them is ever in memory as a whole. In a thread.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from sessions_app.http_api.errors import ApiError, file_too_large

_PIECE_BYTES = 64 * 1024
_ESCAPE = re.compile(rb"\\(?:(/)|u00([0-9a-fA-F]{2}))")
_ESCAPE_BYTES = 6


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file in the spool: its SHA-256, and where its bytes are."""

    digest: str
    start: int
    size: int


class FileSpool:
    """The files of one request, each at most ``largest`` bytes, all together at most ``most``. Close it."""

    def __init__(self, largest: int, most: int) -> None:
        self._largest, self._most = largest, most
        self._file: IO[bytes] | None = None
        self._end = self._taken = 0
        self._by_digest: dict[str, Spooled] = {}

    def add(self, base64: Iterable[bytes], param: str) -> Spooled:
        """Take a file whose base64 comes in these pieces, as it stands in JSON.

        The same bytes again are kept once. Raises ApiError, which names ``param``, OSError where the disk is full.
        """
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        digest, start = hashlib.sha256(), self._end
        self._file.seek(start)
        size = 0
        for piece in _decoded(base64, param):
            size += len(piece)
            self._taken += len(piece)
            if size > self._largest:
                raise file_too_large(self._largest, param)
            if self._taken > self._most:
                raise _too_many(self._most, param)
            digest.update(piece)
            self._file.write(piece)
        name = digest.hexdigest()
        if name not in self._by_digest:
            self._by_digest[name] = Spooled(name, start, size)
            self._end += size
        return self._by_digest[name]

    def get(self, digest: str) -> Spooled | None:
        """Return a file that was taken."""
        return self._by_digest.get(digest)

    @contextmanager
    def copy(self, spooled: Spooled) -> Iterator[IO[bytes]]:
        """Give one of the files in a file of its own, which has no name. Raises OSError where the disk is full."""
        source = self._file
        if source is None:
            raise ValueError("the spool is closed")
        with tempfile.TemporaryFile() as own:
            source.seek(spooled.start)
            left = spooled.size
            while left:
                piece = source.read(min(_PIECE_BYTES, left))
                own.write(piece)
                left -= len(piece)
            own.flush()
            yield own

    def close(self) -> None:
        """Forget all of them."""
        if self._file is not None:
            with suppress(OSError):  # what is not written yet is not on the disk that is full
                self._file.close()
            self._file = None


def _too_many(most: int, param: str) -> ApiError:
    told = f"The files of one request may have at most {most / 1_000_000:,g} MB together."
    return ApiError(413, told, code="file_too_large", param=param)


def _no_base64(param: str) -> ApiError:
    return ApiError(400, "The file is not base64.", code="invalid_base64", param=param)


def _decoded(base64: Iterable[bytes], param: str) -> Iterator[bytes]:
    """Yield the bytes that base64 stands for. Raises ApiError where it is none."""
    quads, has_ended = b"", False
    for piece in _unescaped(base64):
        if not piece:
            continue
        quads += piece
        whole = len(quads) - len(quads) % 4
        now, quads = quads[:whole], quads[whole:]
        # The library lets more padding pass than there can be.
        if has_ended or now.endswith(b"==="):
            raise _no_base64(param)
        try:
            yield binascii.a2b_base64(now, strict_mode=True)
        except binascii.Error:
            raise _no_base64(param) from None
        has_ended = now.endswith(b"=")
    if quads:
        raise _no_base64(param)


def _unescaped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield base64 without the escapes of JSON: some encoders write ``\\/`` for a slash, and ``\\u002B`` for a plus."""
    rest = b""
    for piece in pieces:
        rest += piece
        # What may be the beginning of an escape waits for its end.
        last = rest.rfind(b"\\", -_ESCAPE_BYTES)
        whole = last if last >= 0 and not _ESCAPE.match(rest, last) else len(rest)
        yield _plain(rest[:whole])
        rest = rest[whole:]
    yield _plain(rest)


def _plain(escaped: bytes) -> bytes:
    if b"\\" not in escaped:
        return escaped
    return _ESCAPE.sub(lambda found: found[1] or bytes.fromhex(found[2].decode()), escaped)
