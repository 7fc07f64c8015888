"""A clock in the test's hand: time-outs run out when the test says so, and never because the machine is slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from tests.processes import PATIENCE

R = TypeVar("R")


class Clock:
    """The running event loop's clock, which the test may set forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = 0.0
        now = asyncio.get_running_loop().time
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now() + self._ahead)

    def advance(self, seconds: float) -> None:
        """Set the clock forward; what is due by then runs as soon as the loop does."""
        self._ahead += seconds

    async def run_out(self, work: Coroutine[Any, Any, R] | asyncio.Task[R], seconds: float) -> R:
        """The result of what waits for so many seconds, at the most, each time that it waits."""
        task = asyncio.ensure_future(work)
        while not task.done():
            self.advance(seconds)
            await asyncio.sleep(0)
        return task.result()

    async def until(self, happened: Callable[[], bool], seconds: float) -> None:
        """Let all that waits for so many seconds, at the most, run out until something has happened."""
        patience = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < patience
            self.advance(seconds)
            await asyncio.sleep(0)
