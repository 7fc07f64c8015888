"""Tools, writes and threads that take as long as a test wants."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from tests.turns.host import PATIENCE


class SlowSearch:
    """A tool that has `begun` and never ends by itself."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def __call__(self, user_id: int, query: str, limit: int) -> list[str]:
        self.begun.set()
        await asyncio.Event().wait()
        return []


class SlowWrite:
    """Wraps a function of the database: it has `begun`, and goes on when told to by `go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._function = getattr(module, name)
        self.begun = asyncio.Event()
        self.go = threading.Event()
        monkeypatch.setattr(module, name, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self.go.wait(PATIENCE)
        return self._function(*args, **kwargs)


class StuckThread:
    """The thread of Django's async calls, while something in it waits: from `stick` until `go`."""

    def __init__(self) -> None:
        self._stuck = threading.Event()
        self._go = threading.Event()
        self._call: asyncio.Task[bool] | None = None

    async def stick(self) -> None:
        """Return once the thread is stuck."""
        self._call = asyncio.create_task(sync_to_async(self._wait)())
        assert await asyncio.to_thread(self._stuck.wait, PATIENCE)

    async def go(self) -> None:
        """Return once it is free."""
        self._go.set()
        if self._call is not None:
            assert await self._call

    def _wait(self) -> bool:
        self._stuck.set()
        return self._go.wait(PATIENCE)
