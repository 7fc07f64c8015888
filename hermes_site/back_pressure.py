"""Wait for a client that does not read: what is sent faster would lie in memory."""

from __future__ import annotations

import asyncio
from typing import Any


class BackPressure:
    """A producer in Twisted's sense: `writable` is set while the client reads what it is sent, and once it has gone."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.writable = asyncio.Event()
        self.writable.set()

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self.writable.clear()

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self.writable.set()

    def stopProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self.writable.set()
