"""How far a conversation had come when it was sent, so that the next request can tell whether it goes on from there.

A provider finds a prompt in its cache by its first bytes. So what decides is not which rows were read or who wrote
them, but whether the elements sent last time stand, byte for byte, at the beginning of those sent now. Keeping the
last request to compare them would double the memory, and reading it again would cost what the cache saves. A rolling
digest does: the elements are fed to it as they are serialised, once each, and at the length that the last request had
its value is compared. So a turn pays for its own elements only, however long the conversation is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

MARK_BYTES = 250
"""Bytes of a mark that is remembered (measured)."""


class Mark(NamedTuple):
    """A place in a conversation: its length in bytes as serialised, and the digest of what lies before it."""

    length: int
    digest: str


START = Mark(0, hashlib.sha256().hexdigest()[:32])
"""The mark of what had come nowhere: every conversation goes on from it."""


class RollingDigest:
    """The rolling digest of one transcript in memory: elements are added at the end, and cut from there.

    `sent` is where an earlier request, perhaps of another process, had come to: it is looked for on the way.
    """

    def __init__(self, sent: Mark | None = None) -> None:
        self._hash = hashlib.sha256()
        self._length = 0
        self._sought = sent
        self._passed: set[Mark] = set()

    @property
    def size(self) -> int:
        """Bytes it holds, about."""
        return MARK_BYTES * len(self._passed)

    def copy(self) -> RollingDigest:
        """The same digest, to go on apart from this one."""
        other = RollingDigest(self._sought)
        other._hash, other._length, other._passed = self._hash.copy(), self._length, self._passed.copy()
        return other

    def feed(self, elements: Iterable[bytes]) -> None:
        """Go on over more elements."""
        for element in elements:
            self._hash.update(element + b",")
            self._length += len(element) + 1
            if self._sought is not None and self._sought.length == self._length:
                if self._sought == self.here():
                    self._passed.add(self._sought)
                self._sought = None

    def return_to(self, elements: Iterable[bytes], sent: Mark | None) -> None:
        """Forget what came behind these elements, the first of those fed so far; look for `sent` on the way on."""
        passed = self._passed
        self._hash, self._length, self._sought = hashlib.sha256(), 0, None
        self.feed(elements)
        self._passed = {mark for mark in passed if mark.length <= self._length}
        self._sought = sent if sent is not None and sent.length > self._length else None

    def send(self) -> Mark:
        """Remember this place as one that a request has come to, and return it."""
        self._passed.add(here := self.here())
        return here

    def extends(self, mark: Mark) -> bool:
        """Tell whether this conversation begins with what was sent up to a mark."""
        return mark == START or mark in self._passed

    def here(self) -> Mark:
        """How far this conversation has come."""
        return Mark(self._length, self._hash.hexdigest()[:32])
