"""Find out what a file is that is brought, and yield its chats, one at a time. In threads.

Nothing is unpacked by the names that an archive gives: members are looked up by the names that we know, and read up to
a bound. Taken are our own archive, and one exported chat.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from sessions_app.imports.chats import MAX_DOCUMENT_BYTES, Chat, Unusable, check_size, parsed
from sessions_app.transfer.shapes import ACCOUNT_FORMAT, KeptFileRecord

ACCOUNT, FILES = "account.json", "files.json"
RATIO = 200
"""What an archive holds may be so many times its own size: text is packed to a tenth."""

_SESSION = re.compile(r"sessions/[^/]+\.json")
_SMALL_BYTES = 1024 * 1024
_UNKNOWN = "This is no export that can be read here: neither one of this host, nor one of its chats."
_DAMAGED = "The archive is damaged."
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
_RECORDS = TypeAdapter(list[KeptFileRecord])


@dataclass
class Source:
    """A file that is brought: ``chats`` yields its chats, and raises Unusable in the place of one that is none.

    ``count`` is how many there are. ``account`` is what our own archive says of its user.
    """

    file: IO[bytes]
    archive: zipfile.ZipFile | None = None
    names: list[str] = field(default_factory=list)
    account: dict[str, Any] = field(default_factory=dict)
    records: list[KeptFileRecord] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many chats there are."""
        return len(self.names) if self.archive else 1

    def chat(self, number: int) -> Chat:
        """Return one of the chats. Raises Unusable."""
        if self.archive is None:
            self.file.seek(0)
            return parsed(self.file.read(MAX_DOCUMENT_BYTES + 1), "the file")
        return parsed(_member(self.archive, self.names[number]), self.names[number])


def opened(file: IO[bytes], size: int) -> Source:
    """Find out what a file is. Raises Unusable where it is nothing that can be read here."""
    if zipfile.is_zipfile(file):
        return _archive(file, size)
    file.seek(0)
    if not file.read(_SMALL_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise Unusable(_UNKNOWN)
    return Source(file)


def _archive(file: IO[bytes], size: int) -> Source:
    try:
        archive = zipfile.ZipFile(file)
        members = archive.infolist()
    except _FAULTS:
        raise Unusable(_DAMAGED) from None
    if sum(member.file_size for member in members) > RATIO * size + MAX_DOCUMENT_BYTES:
        raise Unusable("What the archive holds is too large for its size.")
    names = [member.filename for member in members]
    if ACCOUNT not in names:
        raise Unusable(_UNKNOWN)
    account = _account(_member(archive, ACCOUNT))
    try:
        records = _RECORDS.validate_json(_member(archive, FILES)) if FILES in names else []
    except ValidationError:
        raise Unusable("The list of files in the archive cannot be read.") from None
    return Source(file, archive, [name for name in names if _SESSION.fullmatch(name)], account, records)


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
    except (KeyError, *_FAULTS):
        raise Unusable(_DAMAGED, name) from None
    if len(data) > MAX_DOCUMENT_BYTES:
        raise Unusable("It is too large.", name)
    return data


def chats(source: Source) -> Iterator[Chat | Unusable]:
    """Yield the chats, and what is wrong with those that cannot be taken."""
    for number in range(source.count):
        try:
            yield source.chat(number)
        except Unusable as unusable:
            yield unusable
