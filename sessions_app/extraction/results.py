"""What was made of a file, and how a worker hands that over: pieces of bytes, then a description, in one file."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">Q")


class Unreadable(Exception):  # an outcome, not a fault
    """Nothing can be told of a file; ``text`` is a sentence for its user.

    ``is_other_kind``: it is none of the kinds that are taken, and not a damaged one of them.
    """

    def __init__(self, text: str, *, is_other_kind: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.is_other_kind = is_other_kind


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes among a worker's output, and their SHA-256."""

    start: int
    size: int
    digest: str


@dataclass(slots=True)
class Extracted:
    """What is known of a file, and what was made of it.

    ``media_type`` and ``suffix`` are those of the file that is kept. That is ``kept``, where it is not the upload
    itself. ``text`` and ``images`` (all of ``image_type``) are what a model is sent of it, in their order; ``notice``
    says what of it no model is sent, empty where it is sent all.
    """

    media_type: str
    suffix: str
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    text: str = ""
    notice: str = ""
    kept: Piece | None = None
    thumbnail: Piece | None = None
    images: list[Piece] = field(default_factory=list)
    image_type: str = ""


class Output:
    """Takes pieces while a file is read, and at last what they are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = 0

    def add(self, content: bytes) -> Piece:
        """Write a piece."""
        self._file.write(content)
        piece = Piece(self._end, len(content), hashlib.sha256(content).hexdigest())
        self._end += len(content)
        return piece

    def finish(self, found: Extracted | Unreadable) -> None:
        """Write what was found; nothing may follow."""
        told = {"refused": found.text, "other": found.is_other_kind} if isinstance(found, Unreadable) else asdict(found)
        description = json.dumps(told).encode()
        self._file.write(description + _LENGTH.pack(len(description)))
        self._file.flush()


def read(file: BinaryIO) -> Extracted:
    """Return what a worker has found. Raises Unreadable, ValueError where it has not come to its end."""
    size = file.seek(0, 2)
    try:
        file.seek(size - _LENGTH.size)
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        file.seek(size - _LENGTH.size - length)
        told: dict[str, Any] = json.loads(file.read(length))
    except (OSError, struct.error) as error:
        raise ValueError("no result") from error
    if "refused" in told:
        raise Unreadable(told["refused"], is_other_kind=told["other"])
    pieces = {name: Piece(**told[name]) if told[name] else None for name in ("kept", "thumbnail")}
    return Extracted(**{**told, **pieces, "images": [Piece(**each) for each in told["images"]]})


def bytes_of(file: BinaryIO, piece: Piece) -> bytes:
    """Return the bytes of a piece."""
    file.seek(piece.start)
    return file.read(piece.size)
