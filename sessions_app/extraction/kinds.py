"""What a file is, by its first bytes. A library that reads it strictly has the last word."""

from __future__ import annotations

import zipfile
from typing import BinaryIO, Literal

import puremagic

from sessions_app.extraction.bounds import MAX_UNPACKED_BYTES
from sessions_app.extraction.results import Unreadable

Kind = Literal["image", "pdf", "docx", "xlsx", "pptx", "text"]

TAKEN = "Pictures (PNG, JPEG, WebP, GIF, HEIC), PDF, Word, Excel and PowerPoint documents, and texts are taken."
"""What is said to whom sends something else."""

IMAGES = {"image/png", "image/jpeg", "image/webp", "image/gif", "image/heif", "image/heic", "image/avif"}
_HEAD_BYTES = 4096
_DAMAGED = "This document is damaged: it cannot be opened."
_PARTS: dict[str, Kind] = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx"}
"""What a document of Office must hold to be one."""


def kind_of(file: BinaryIO) -> Kind:
    """Return the kind of a file: what is nothing else may be a text. Raises Unreadable."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise Unreadable("This file is empty.")
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _office_kind(file)
    return "image" if _media_types(head) & IMAGES else "text"


def _media_types(head: bytes) -> set[str]:
    try:
        return {found.mime_type for found in puremagic.magic_string(head)}
    except (puremagic.PureError, ValueError):
        return set()


def _office_kind(file: BinaryIO) -> Kind:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise Unreadable(_DAMAGED) from None
    names = {member.filename for member in members}
    kind = next((kind for part, kind in _PARTS.items() if part in names), None)
    if kind is None:
        raise Unreadable(f"This archive is no document. {TAKEN}", is_other_kind=True)
    if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise Unreadable(f"This document unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MB, which is not read.")
    return kind
