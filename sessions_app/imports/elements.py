"""Cut a JSON array into its elements as it is read, so that a file of any size needs the memory of one of them.

No parser: quotes, backslashes and brackets alone are looked at. What an element is, and whether it is JSON at all, says
who parses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from sessions_app.imports.chats import MAX_DOCUMENT_BYTES

_PIECE_BYTES = 256 * 1024
_BLANK = b" \t\r\n"
_MARK = re.compile(rb'[\[\]{}",]')
_IN_STRING = re.compile(rb'[\\"]')
_OPEN, _CLOSE = frozenset(b"[{"), frozenset(b"]}")
_QUOTE, _BACKSLASH, _COMMA = b'"\\,'


class EndsEarly(Exception):
    """The array has no end: the file was cut, or is damaged."""


class Elements:
    """The elements of the array that a file holds, as bytes; None in the place of one that is too large.

    ``read`` is how many bytes of the file were read so far. Raises EndsEarly behind the last whole one.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.read = 0
        self._file = file
        self._depth = 0
        self._in_string = False
        self._skip = False
        self._element = bytearray()
        self._is_large = False
        self._ended = False

    def __iter__(self) -> Iterator[bytes | None]:
        while not self._ended:
            piece = self._file.read(_PIECE_BYTES)
            if not piece:
                raise EndsEarly
            self.read += len(piece)
            yield from self._cut(piece)

    def _cut(self, piece: bytes) -> Iterator[bytes | None]:
        """Yield the elements that end in a piece; keep what begins in it."""
        at = kept = 0
        while not self._ended and (at := self._next(piece, at)) < len(piece):
            mark = piece[at]
            if mark == _QUOTE:
                self._in_string = not self._in_string
            elif mark in _OPEN:
                self._depth += 1
                kept = at + 1 if self._depth == 1 else kept
            elif mark in _CLOSE or self._depth == 1:
                self._depth -= mark in _CLOSE
                if self._depth < 2 and (mark == _COMMA or self._depth == 0):
                    self._keep(piece[kept:at])
                    yield from self._take()
                    kept, self._ended = at + 1, self._depth == 0
            at += 1
        if self._depth:
            self._keep(piece[kept:])

    def _next(self, piece: bytes, at: int) -> int:
        """Return where the next mark is that counts, from ``at`` on; the piece's length where there is none."""
        if self._skip:
            at, self._skip = at + 1, False
        while self._in_string:
            found = _IN_STRING.search(piece, at)
            if found is None:
                return len(piece)
            if piece[found.start()] == _QUOTE:
                return found.start()
            at = found.start() + 2
            if at > len(piece):
                self._skip = True
                return len(piece)
        found = _MARK.search(piece, at)
        return len(piece) if found is None else found.start()

    def _keep(self, data: bytes) -> None:
        if not self._is_large:
            self._element += data
        if len(self._element) > MAX_DOCUMENT_BYTES:
            self._is_large, self._element = True, bytearray()

    def _take(self) -> Iterator[bytes | None]:
        """Yield the element that has ended; nothing where there is only blank space, as in an empty array."""
        element = bytes(self._element).strip(_BLANK)
        if element or self._is_large:
            yield None if self._is_large else element
        self._element, self._is_large = bytearray(), False
