"""The pictures that models are sent, as base64: read from the store when a request is made, and kept for a while.

What a process keeps of all pictures together is bounded (`KEPT_BYTES`), so no agent has more for it; a chat with many
pictures reads again what has been pushed out. A picture is sent only where it still has the SHA-256 that its message
says.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

from sessions_app.files import store
from sessions_app.llm.content.files import missing

logger = logging.getLogger(__name__)

KEPT_BYTES = 64 * 2**20
"""Of base64: some 150 pictures."""


class PictureCache:
    """Base64 of pictures by their keys, the last used ones; for any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        """Return a picture that is kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, content: bytes) -> None:
        """Keep a picture, and as many others as there is room for."""
        with self._lock:
            self._size += len(content) - len(self._kept.pop(key, b""))
            self._kept[key] = content
            while self._size > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest)


_kept = PictureCache(KEPT_BYTES)


class UserImages:
    """The pictures of one user's files."""

    def __init__(self, owner_id: int) -> None:
        self._owner_id = owner_id

    async def load(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the base64 of pictures by their names. Raises ContentError for one that is not as it was."""
        keys = {name: f"{self._owner_id}/{name}" for name in names}
        found = {name: content for name, key in keys.items() if (content := _kept.get(key)) is not None}
        if unread := [name for name in names if name not in found]:
            found |= await asyncio.to_thread(self._read, unread)
        return found

    def _read(self, names: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name in names:
            key = f"{self._owner_id}/{name}"
            try:
                content = store.read(key)
            except Exception as error:  # whatever the store is, what it has lost cannot be sent
                logger.error("a picture could not be read from the store of files", exc_info=error)
                raise missing("a picture") from error
            if hashlib.sha256(content).hexdigest() != name.partition("/")[2]:
                raise missing("a picture")
            found[name] = b64encode(content)
            _kept.put(key, found[name])
        return found
