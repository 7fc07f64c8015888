"""A compressed body, decompressed as it comes.

httpx2's own decoders stop behind the first member of a gzip stream, and a server that compresses each flush by itself
sends one after the other (RFC 1952, section 2.2). What follows the last member, and is none, is left out.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Iterator

import httpx2

PIECE_BYTES = 64 * 1024
"""Of what is handed on at once: a few bytes may hold megabytes."""

_GZIP_OR_ZLIB, _RAW = 47, -15
_GZIP = b"\x1f\x8b"


async def decompressed(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """The body of a response. Raises httpx2.DecodingError."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("gzip", "x-gzip", "deflate"):
        async for piece in response.aiter_bytes() if encoding else response.aiter_raw():
            yield piece
        return
    members = _Members()
    async for data in response.aiter_raw():
        try:
            for piece in members.feed(data):
                yield piece
        except zlib.error as error:
            raise httpx2.DecodingError(str(error)) from error


class _Members:
    """A series of compressed members."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._has_begun = False
        self._is_over = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What some more bytes hold, piece by piece."""
        is_full = False
        while (data or is_full) and not self._is_over:
            piece = self._decompress(data)
            is_full = len(piece) == PIECE_BYTES
            yield piece
            data = self._decoder.unconsumed_tail
            if self._decoder.eof:
                data, is_full = self._decoder.unused_data, False
                self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
                self._is_over = bool(data) and not data.startswith(_GZIP[: len(data)])

    def _decompress(self, data: bytes) -> bytes:
        try:
            piece = self._decoder.decompress(data, PIECE_BYTES)
        except zlib.error:
            if self._has_begun:
                raise
            # Some servers call a stream without any header "deflate".
            self._decoder = zlib.decompressobj(_RAW)
            piece = self._decoder.decompress(data, PIECE_BYTES)
        self._has_begun = True
        return piece
