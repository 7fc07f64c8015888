"""PNG files whose notes are damaged and whose picture is not: browsers show them, Pillow reads none of them."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LENGTH_BYTES, _FRAME_BYTES = 4, 12
# The case of a type's first letter says that a picture can be shown without the chunk (the PNG standard, 5.4).
_ANCILLARY = 0x20


def readable(file: BinaryIO) -> BinaryIO:
    """Return a picture without the ancillary chunks whose checksum is wrong; what is no PNG is returned as it is."""
    file.seek(0)
    is_png = file.read(len(SIGNATURE)) == SIGNATURE
    file.seek(0)
    return io.BytesIO(_without_damaged_notes(file.read())) if is_png else file


def _without_damaged_notes(content: bytes) -> bytes:
    kept, place = [SIGNATURE], len(SIGNATURE)
    while place + _FRAME_BYTES <= len(content):
        end = place + _FRAME_BYTES + int.from_bytes(content[place : place + _LENGTH_BYTES])
        chunk = content[place:end]
        if not chunk[_LENGTH_BYTES] & _ANCILLARY or _is_whole(chunk):
            kept.append(chunk)
        place = end
    return b"".join(kept) + content[place:]


def _is_whole(chunk: bytes) -> bool:
    return zlib.crc32(chunk[_LENGTH_BYTES:-_LENGTH_BYTES]) == int.from_bytes(chunk[-_LENGTH_BYTES:])
