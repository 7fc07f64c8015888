"""The line that a link shows, in pages of bounded size, each known again by a digest of what it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sessions_app.conversations import branches
from sessions_app.models import Message

PAGE_MESSAGES = 50
PAGE_CHARACTERS = 200_000
"""Of the texts of a page, unless a single message has more."""


@dataclass(frozen=True, slots=True)
class Line:
    """The line of a branch up to and with the message ``until``, which stands at ``position``."""

    session_id: UUID
    branch_id: UUID
    position: int
    until: UUID

    def messages(self, limit: int, *, first: int, last: int | None = None) -> tuple[list[Message], bool]:
        """Return the first messages from a position on, up to and with ``last``, and whether there are more."""
        end = self.position if last is None else last
        segments = branches.line_up_to(self.session_id, self.branch_id, end)
        return branches.first_of([each for each in segments if each.end > first], limit, first=first)


@dataclass(frozen=True, slots=True)
class PageOfLine:
    """The positions of a page's messages, and the digest of what they hold."""

    first: int
    last: int
    digest: str


class Pages:
    """Divides the messages of a line into pages, as they come."""

    def __init__(self) -> None:
        self.done: list[PageOfLine] = []
        self._messages: list[Message] = []
        self._characters = 0

    def add(self, messages: Iterable[Message]) -> None:
        """Take the next messages."""
        for message in messages:
            if self._is_full(message):
                self.end()
            self._messages.append(message)
            self._characters += len(message.text)

    def _is_full(self, message: Message) -> bool:
        is_large = self._characters + len(message.text) > PAGE_CHARACTERS
        return bool(self._messages) and (is_large or len(self._messages) == PAGE_MESSAGES)

    def end(self) -> None:
        """End the page: there are no more messages for it."""
        if self._messages:
            first, last = self._messages[0].position, self._messages[-1].position
            self.done.append(PageOfLine(first, last, digest_of(self._messages)))
        self._messages, self._characters = [], 0


def digest_of(messages: Iterable[Message]) -> str:
    """Return the SHA-256 of all of messages that a link could show."""
    digest = hashlib.sha256()
    for message in messages:
        held = (str(message.public_id), message.position, message.role, message.text, message.parts)
        state = (message.status, message.finish, message.kind)
        digest.update(json.dumps([*held, *state], sort_keys=True).encode() + b"\n")
    return digest.hexdigest()
