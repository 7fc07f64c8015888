"""Find out what a file is that is brought, and yield its chats, one at a time. In threads.

Nothing is unpacked by the names that an archive gives: members are looked up by the names that we know, and read up to
a bound. Taken are our own archive, one exported chat, ChatGPT's archive or its list of chats, and Open WebUI's list.
"""

from __future__ import annotations

import json
import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from sessions_app.imports import chatgpt, open_webui
from sessions_app.imports.chats import ARCHIVE_FAULTS, MAX_DOCUMENT_BYTES, Chat, Unusable, check_size, parsed
from sessions_app.imports.elements import Elements, EndsEarly
from sessions_app.imports.trees import chat_of
from sessions_app.transfer.shapes import ACCOUNT_FORMAT, KeptFileRecord

ACCOUNT, FILES = "account.json", "files.json"
RATIO = 200
"""What an archive holds may be so many times its own size: text is packed to a tenth."""

_CONVERSATIONS = re.compile(r"(?:^|/)conversations(?:-\d+)?\.json$")
_SESSION = re.compile(r"sessions/[^/]+\.json")
_SMALL_BYTES = 1024 * 1024
_ZIP_BEGINS = b"PK\x03\x04"
_UNKNOWN = (
    "This is no export that can be read here: neither of this host or one of its chats, nor of ChatGPT or Open WebUI."
)
_DAMAGED = "The archive is damaged."
_CUT = "The archive is cut or damaged: its end is missing. Download it again, and import that."
_EMPTY = "The file is empty."
_RECORDS = TypeAdapter(list[KeptFileRecord])


@dataclass
class Source(ABC):
    """A file that is brought. ``account`` and ``records`` are what our own archive says of its user and its files.

    ``progress`` is how much of it was read, from 0 to 1.
    """

    file: IO[bytes]
    archive: zipfile.ZipFile | None = None
    account: dict[str, Any] = field(default_factory=dict)
    records: list[KeptFileRecord] = field(default_factory=list)
    progress: float = 0.0

    @abstractmethod
    def chats(self) -> Iterator[Chat | Unusable]:
        """Yield the chats, and what is wrong with those that cannot be taken."""


@dataclass
class OwnSource(Source):
    """An export of this host: an archive whose chats have these names, or one chat."""

    names: list[str] = field(default_factory=list)

    def chats(self) -> Iterator[Chat | Unusable]:
        """Yield one for each name."""
        for done, name in enumerate(self.names):
            self.progress = done / len(self.names)
            try:
                yield parsed(self._read(name), name)
            except Unusable as unusable:
                yield unusable

    def _read(self, name: str) -> bytes:
        if self.archive is not None:
            return _member(self.archive, name)
        self.file.seek(0)
        return self.file.read(MAX_DOCUMENT_BYTES + 1)


@dataclass
class OthersSource(Source):
    """What another program has exported: lists of chats, in a file of their own or in an archive."""

    size: int = 0
    members: list[str] = field(default_factory=list)
    _others: dict[str, str] = field(default_factory=dict)

    def chats(self) -> Iterator[Chat | Unusable]:
        """Yield one for each element of each list, and what ends a list before its end."""
        if self.archive is None:
            self.file.seek(0)
            yield from self._listed(self.file, "the file", 0)
            return
        self._others = chatgpt.file_names(self.archive.namelist())
        before = 0
        for name in self.members:
            try:
                with self.archive.open(name) as member:
                    yield from self._listed(member, name, before)
            except (KeyError, *ARCHIVE_FAULTS):
                yield Unusable(_DAMAGED, name)
            before += self.archive.getinfo(name).file_size

    def _listed(self, file: IO[bytes], name: str, before: int) -> Iterator[Chat | Unusable]:
        elements = Elements(file)
        try:
            for number, element in enumerate(elements, 1):
                self.progress = min(1.0, (before + elements.read) / max(1, self.size))
                try:
                    yield self._chat(element, f"{name}, chat {number}")
                except Unusable as unusable:
                    yield unusable
        except EndsEarly:
            yield Unusable("The list ends in its middle: the file was cut. What is whole was taken.", name)

    def _chat(self, element: bytes | None, name: str) -> Chat:
        """Return a chat of whichever program has written it. Raises Unusable."""
        if element is None:
            raise Unusable("It is too large.", name)
        check_size(element, name)
        try:
            told = json.loads(element)
        except (ValueError, RecursionError):
            raise Unusable("It is damaged.", name) from None
        if isinstance(told, dict) and "mapping" in told:
            return chat_of(chatgpt.tree_of(told, self._others))
        if isinstance(told, dict) and isinstance(told.get("chat"), dict):
            return chat_of(open_webui.tree_of(told))
        raise Unusable("It is no chat of ChatGPT or Open WebUI.", name)


def opened(file: IO[bytes], size: int) -> Source:
    """Find out what a file is. Raises Unusable where it is nothing that can be read here."""
    if zipfile.is_zipfile(file):
        return _archive(file, size)
    file.seek(0)
    beginning = file.read(_SMALL_BYTES)
    match beginning.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]:
        case b"[":
            return OthersSource(file, size=size)
        case b"{":
            return OwnSource(file, names=["the file"])
    # The table of a ZIP stands at its end.
    raise Unusable(_CUT if beginning.startswith(_ZIP_BEGINS) else _UNKNOWN if beginning else _EMPTY)


def _archive(file: IO[bytes], size: int) -> Source:
    try:
        archive = zipfile.ZipFile(file)
        members = archive.infolist()
    except ARCHIVE_FAULTS:
        raise Unusable(_DAMAGED) from None
    if sum(member.file_size for member in members) > RATIO * size + MAX_DOCUMENT_BYTES:
        raise Unusable("What the archive holds is too large for its size.")
    names = [member.filename for member in members]
    if ACCOUNT not in names:
        return _others(file, archive)
    account = _account(_member(archive, ACCOUNT))
    try:
        records = _RECORDS.validate_json(_member(archive, FILES)) if FILES in names else []
    except ValidationError:
        raise Unusable("The list of files in the archive cannot be read.") from None
    sessions = [name for name in names if _SESSION.fullmatch(name)]
    return OwnSource(file, archive, account, records, names=sessions)


def _others(file: IO[bytes], archive: zipfile.ZipFile) -> Source:
    """Return the archive of another program. Raises Unusable where it has no chats."""
    members = [member for member in archive.infolist() if _CONVERSATIONS.search(member.filename)]
    if not members:
        raise Unusable(_UNKNOWN)
    size = sum(member.file_size for member in members)
    return OthersSource(file, archive, size=size, members=[member.filename for member in members])


def _account(data: bytes) -> dict[str, Any]:
    try:
        check_size(data)
        account = json.loads(data)
    except (ValueError, RecursionError):
        raise Unusable(_UNKNOWN) from None
    if not isinstance(account, dict) or account.get("format") != ACCOUNT_FORMAT or account.get("version") != 1:
        raise Unusable(_UNKNOWN)
    return account


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the bytes of a member, whatever size it says that it has. Raises Unusable."""
    try:
        with archive.open(name) as member:
            data = member.read(MAX_DOCUMENT_BYTES + 1)
    except (KeyError, *ARCHIVE_FAULTS):
        raise Unusable(_DAMAGED, name) from None
    if len(data) > MAX_DOCUMENT_BYTES:
        raise Unusable("It is too large.", name)
    return data
