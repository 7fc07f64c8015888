"""What has come over a connection to a tool server."""

from __future__ import annotations

import asyncio


class Output:
    """Of one connection. ``ended`` is set when no more will come, ``too_much`` where that is why."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.too_much = False

    def end_with_too_much(self) -> None:
        """More has come than is read."""
        self.too_much = True
        self.ended.set()
