"""What the model is sent of documents: their texts, read with the rows that have them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from sessions_app.llm.content.files import missing, told
from sessions_app.llm.content.parts import FileReference
from sessions_app.llm.content.rows import Row
from sessions_app.models import FileContent, UserFile


def with_documents(rows: Iterable[Row]) -> list[Row]:
    """Return rows as the model is sent them: with the texts of their documents before what was said.

    One query for all of them, and none where there is no document. Raises ContentError where a text is not the one that
    its message was sent with.
    """
    read = list(rows)
    texts = _texts({document.folder or "" for row in read for document in _documents(row)})
    return [_told(row, texts) for row in read] if texts else read


def _documents(row: Row) -> list[FileReference]:
    return [part for part in row.parts if isinstance(part, FileReference) and part.text]


def _texts(folders: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return text and SHA-256 of contents, by their folders; empty where there is none."""
    folders = list(folders)
    if not folders:
        return {}
    rows = FileContent.objects.filter(folder__in=map(UUID, folders)).values_list("folder", "text")
    # Not the digest that stands beside it: another program may have changed the text alone.
    found = {folder.hex: (text, hashlib.sha256(text.encode()).hexdigest()) for folder, text in rows}
    return {folder: found.get(folder, ("", "")) for folder in folders}


def _told(row: Row, texts: dict[str, tuple[str, str]]) -> Row:
    documents = []
    for part in _documents(row):
        text, digest = texts[part.folder or ""]
        if digest != part.text:
            raise missing(part.name)
        documents.append((part.name, text))
    return replace(row, text=told(row.text, documents)) if documents else row


def text_with(text: str, files: Iterable[UserFile]) -> str:
    """Return what the model is sent for a text that is said with files, whose contents are loaded."""
    return told(text, [(file.name, file.content.text) for file in files if file.content.text])
