"""The form of an exported chat, version 1: a JSON object with the fields of ``SessionHead``, then lists of the rest.

``{"format": "hermes-session", "version": 1, "session": {...}, "branches": [...], "files": [...], "messages": [...]}``.
Branches come after their parents, messages in the order in which they were stored. What a row has not is left out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

FORMAT, ACCOUNT_FORMAT, VERSION = "hermes-session", "hermes-account", 1


class Record(BaseModel):
    """A part of an export; a later release may have added fields to it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    def to_json(self) -> bytes:
        """Return it as JSON in one line."""
        return self.model_dump_json(exclude_none=True).encode()


class PrefixRecord(Record):
    """What every request of the chat begins with.

    The words of its user, and of the programs that have brought it, are in clear. ``sealed`` is all of it, for this
    site alone: its operator's prompt is not the user's to read. ``digest`` is the SHA-256 of all of it.
    """

    digest: str
    sealed: str
    instructions: str = ""
    memories: list[str] = Field(default_factory=list)


class SessionHead(Record):
    """A chat without its messages; ``profile`` and ``model`` are the names of what answers in it.

    ``names`` are those that programs have given it. ``client_prompt`` and ``client_tools`` are digests of what a
    program has brought, ``metadata`` what it has put to it.
    """

    id: UUID
    title: str
    title_by: str = ""
    created_at: datetime
    updated_at: datetime
    archived: bool = False
    pinned: bool = False
    memory: bool = True
    profile: str | None = None
    model: str | None = None
    active_branch: UUID
    prefix: PrefixRecord | None = None
    client_prompt: str | None = None
    client_tools: str | None = None
    names: list[str] | None = None
    metadata: Any = None


class BranchRecord(Record):
    """A line of the chat, from ``fork_position`` on; before it, the parent's holds."""

    id: UUID
    parent: UUID | None = None
    fork_position: int = 0
    created_at: datetime | None = None


class FileRecord(Record):
    """A file that messages of the chat have; ``url`` is where its bytes are: an address, or a path in the archive."""

    id: UUID
    name: str
    media_type: str
    size: int
    url: str


class KeptFileRecord(FileRecord):
    """A file in an archive; ``digest`` is the SHA-256 of its bytes.

    ``sealed`` is what this site has made of it (``contents``): the objects that it names are in ``objects/``.
    """

    digest: str
    created_at: datetime
    sealed: str


class SessionDocument(Record):
    """A whole exported chat."""

    format: Literal["hermes-session"]
    version: Literal[1]
    session: SessionHead
    branches: list[BranchRecord]
    files: list[FileRecord] = Field(default_factory=list)
    messages: list[MessageRecord]


class MessageRecord(Record):
    """A message; ``parts`` is what it holds beside its text, as it is stored.

    ``said`` is the digest of all that was said in its line, by which programs' conversations are recognised.
    """

    id: UUID
    branch: UUID
    position: int
    role: Literal["user", "assistant", "tool"]
    text: str
    parts: Any = None
    status: Literal["complete", "stopped", "interrupted", "failed"] = "complete"
    finish: str | None = None
    kind: Literal["summary", "note"] | None = None
    model: str | None = None
    said: str | None = None
    created_at: datetime | None = None
    rating: Literal[1, -1] | None = None
    comment: str | None = None
