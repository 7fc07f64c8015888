"""Take the files out of a JSON body as it comes: their base64 goes to a spool, and a mark of their digest stays.

So what is parsed is as short as the texts in it, and a request with 50 MB of files costs no more memory than one
without. Only what is long is taken out, and only where files are: in strings with one of the names below. No JSON text
holds such a name with its quotes but where it is one: within a string quotes are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.spool import FileSpool

MIN_BYTES = 4_096
"""Of base64 that is taken out; what is shorter is decoded when the JSON is read."""

_MARK = "\0file:"
"""What stands for a file, before its digest: no text that is taken has a NUL."""
_NAME = re.compile(rb'"(url|image_url|file_data|data|value)"[ \t\r\n]{0,20}:[ \t\r\n]{0,20}"')
_HEAD = re.compile(rb'(?:data:[^",]{0,200};base64,)?')
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\\]{%d}" % MIN_BYTES)
_LONGEST_NAME, _LONGEST_HEAD = 64, 256
_PIECE_BYTES = 64 * 1024


def digest_in(value: str) -> str | None:
    """Return the digest of the file that stood where a mark does now; None for any other text."""
    return value[len(_MARK) :] if value.startswith(_MARK) else None


def taken_out(read: Callable[[int], bytes], spool: FileSpool, longest: int) -> bytes:
    """Return a body without its files. In a thread. Raises ApiError, Gone, OSError where the disk is full.

    ``longest`` is what it may have without them.
    """
    source, rest = _Source(read), bytearray()
    while True:
        before, name = source.past_name()
        rest += before
        if len(rest) > longest:
            raise ApiError(413, f"Without its files the body may have at most {longest:,} bytes.")
        if name is None and source.has_ended:
            return bytes(rest)
        if name is not None and (head := source.past_head()) is not None:
            spooled = spool.add(source.string(), name)
            rest += head + b"\\u0000file:" + spooled.digest.encode()


class _Source:
    """A body that is read forwards, with as much of it in memory as is looked at."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._buffer = b""
        self._at = 0
        self.has_ended = False

    def past_name(self) -> tuple[bytes, str | None]:
        """Go on behind the next name of a file that has come, and return what is before it, and the name.

        None where none has come.
        """
        if (found := _NAME.search(self._buffer, self._at)) is not None:
            return self._taken(found.end()), found[1].decode()
        self._more()
        if self.has_ended:
            return self._taken(len(self._buffer)), None
        # A name may have come in part.
        return self._taken(max(self._at, len(self._buffer) - _PIECE_BYTES - _LONGEST_NAME)), None

    def past_head(self) -> bytes | None:
        """Go on behind the head of a data URL, if there is one, where long base64 follows; None where none does."""
        while not self.has_ended and len(self._buffer) - self._at < _LONGEST_HEAD + MIN_BYTES:
            self._more()
        head = _HEAD.match(self._buffer, self._at)
        if head is None or not _BASE64.match(self._buffer, head.end()):
            return None
        return self._taken(head.end())

    def string(self) -> Iterator[bytes]:
        """Yield the rest of a string, and go on at the quote that ends it."""
        while True:
            end = self._buffer.find(b'"', self._at)
            yield self._taken(end if end >= 0 else len(self._buffer))
            if end >= 0 or self.has_ended:
                return
            self._more()

    def _taken(self, end: int) -> bytes:
        piece, self._at = self._buffer[self._at : end], end
        return piece

    def _more(self) -> None:
        piece = self._read(_PIECE_BYTES)
        self.has_ended = not piece
        self._buffer, self._at = self._buffer[self._at :] + piece, 0
