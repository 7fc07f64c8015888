"""What of a server's messages is dropped before it is read: to read one costs half a millisecond of the event loop.

Of a call's progress as much is kept as anybody can see; of other notifications nothing, because none is heeded.
"""

from __future__ import annotations

import json
import time

from sessions_app.tool_servers.bounds import MAX_BYTES, MAX_MESSAGES, PROGRESS_SECONDS

_LONGEST = 4_096
"""Bytes of a notification that is looked into: a longer one is a message like others."""
_NOTIFICATION = b'"notifications/'


class TooMuch(Exception):
    """More came before an answer than is read of one."""


class Thinning:
    """Judges the messages of one response, or of one process. Raises TooMuch."""

    def __init__(self) -> None:
        self._next: dict[object, float] = {}
        self._bytes = self._messages = 0

    def begin(self) -> None:
        """An answer has come: what follows is of another."""
        self._bytes = self._messages = 0
        self._next.clear()

    def count(self, size: int) -> None:
        """Take note of bytes that have come."""
        self._bytes += size
        if self._bytes > MAX_BYTES:
            raise TooMuch

    def drops(self, message: bytes) -> bool:
        """Whether a message, as JSON, need not be read."""
        if len(message) <= _LONGEST and _NOTIFICATION in message and self._drops(message):
            return True
        self._messages += 1
        if self._messages > MAX_MESSAGES:
            raise TooMuch
        return False

    def _drops(self, message: bytes) -> bool:
        try:
            told = json.loads(message)
            if "id" in told or not told["method"].startswith("notifications/"):
                return False
            return told["method"] != "notifications/progress" or self._is_early(told["params"]["progressToken"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return False

    def _is_early(self, token: object) -> bool:
        now = time.monotonic()
        if now < self._next.get(token, 0.0):
            return True
        self._next[token] = now + PROGRESS_SECONDS
        return False
