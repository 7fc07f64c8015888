"""A chat that is brought, in the form of our own export, and what is wrong with one that cannot be stored."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from sessions_app.llm.content.codec import is_readable
from sessions_app.transfer.shapes import KeptFileRecord, SessionDocument

MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
"""Of one chat. While it is parsed no other thread has the interpreter: a third of a second."""

MAX_PIECES = 3_000_000
"""Brackets, braces and commas in one chat: very many small pieces take as long as a much longer text."""

ARCHIVE_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
"""What the reading of a damaged archive raises."""


class Unusable(Exception):
    """A chat cannot be taken; ``why`` is for its user, ``id`` what the file calls it, as far as that is known."""

    def __init__(self, why: str, id_: object = "") -> None:
        super().__init__(why)
        self.why = why
        self.id = str(id_)


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that is brought; ``missing`` says what of it the file does not have.

    ``files`` are those of its files that are in the archive, where that has no list of all of them.
    """

    document: SessionDocument
    missing: tuple[str, ...] = ()
    files: tuple[KeptFileRecord, ...] = ()

    @property
    def id(self) -> UUID:
        """Its id where it comes from."""
        return self.document.session.id


def check_size(data: bytes, name: str = "") -> None:
    """Refuse what would take too long to parse; ``name`` is what it is called in a report. Raises Unusable."""
    if len(data) > MAX_DOCUMENT_BYTES or sum(map(data.count, (b"[", b"{", b","))) > MAX_PIECES:
        raise Unusable("It is too large.", name)


def parsed(data: bytes, name: str) -> Chat:
    """Return the chat of a document of our own; ``name`` is what it is called in a report. Raises Unusable."""
    try:
        check_size(data)
        chat = Chat(SessionDocument.model_validate_json(data))
        check(chat.document)
    except ValidationError as error:
        at = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"])) or "its beginning"
        raise Unusable(f"It is no chat that this release knows: at {at[:100]}.", name) from None
    except Unusable as unusable:
        raise Unusable(unusable.why, name) from None
    return chat


def check(document: SessionDocument) -> None:
    """Refuse a chat whose rows do not fit together, or that the database could not store. Raises Unusable."""
    starts: dict[UUID, int] = {}
    for branch in document.branches:
        before = starts.get(branch.parent) if branch.parent else -1
        if branch.id in starts or before is None or branch.fork_position < 0:
            raise Unusable("Its branches do not fit together.")
        starts[branch.id] = branch.fork_position if branch.parent else 0
    if document.session.active_branch not in starts:
        raise Unusable("Its branches do not fit together.")
    places, ids = set(), set()
    for message in document.messages:
        if message.position < starts.get(message.branch, message.position + 1) or message.position >= 2**31:
            raise Unusable("A message has no place in it.")
        if not is_readable(message.parts):
            raise Unusable("It has a message with content that this release does not know.")
        places.add((message.branch, message.position))
        ids.add(message.id)
    if len(places) < len(document.messages) or len(ids) < len(document.messages):
        raise Unusable("Two messages have the same place, or the same id.")
    if _has_nul(document.model_dump()):
        raise Unusable("It has a NUL character, which cannot be stored.")


def _has_nul(value: Any) -> bool:
    """Tell whether any text has one. JSON is no deeper than its parser allows."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(each) for key, each in value.items())
    return isinstance(value, list | tuple) and any(map(_has_nul, value))
