"""When a request to a provider is given up: after silence, or after signs of life alone."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(Exception):
    """The time is over. `waited`: seconds; `silent`: without a byte, else without a word or a thought."""

    def __init__(self, waited: float, *, silent: bool) -> None:
        super().__init__(waited)
        self.waited = waited
        self.silent = silent


class Deadline:
    """Belongs to one request with all its retries, and to the event loop.

    Each byte moves it on by `silence` seconds, each word or thought by `longest_wait`; whichever is over first ends
    the waiting. So a model may think for minutes while its server sends comments, and not for ever. Only the provider's
    time counts: what it has sent is not given up because nobody here has come to read it.
    """

    def __init__(self, silence: float, longest_wait: float) -> None:
        self._silence, self._longest_wait = silence, longest_wait
        self._timeout: asyncio.Timeout | None = None
        self._silent_at = self._wordless_at = 0.0
        self.heard_word()

    @property
    def at(self) -> float:
        """The loop's time at which it is over."""
        return min(self._silent_at, self._wordless_at)

    def heard_bytes(self) -> None:
        """Note a sign of life."""
        self._silent_at = asyncio.get_running_loop().time() + self._silence
        self._move()

    def heard_word(self) -> None:
        """Note something of an answer."""
        self._wordless_at = asyncio.get_running_loop().time() + self._longest_wait
        self.heard_bytes()

    def lift(self) -> None:
        """Wait without end from here on: the provider has sent all of its answer, and what follows ends by itself."""
        self._silence = self._longest_wait = math.inf
        self.heard_word()

    @contextmanager
    def not_counted(self) -> Iterator[None]:
        """Have the time in the block not count, in which nobody waits for the provider."""
        now = asyncio.get_running_loop().time
        began = now()
        try:
            yield
        finally:
            away = now() - began
            self._silent_at += away
            self._wordless_at += away

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Await something until the deadline, wherever that is moved meanwhile. Raises DeadlineError."""
        try:
            async with asyncio.timeout_at(self._when) as self._timeout:
                return await awaitable
        except TimeoutError as error:
            silent = self._silent_at <= self._wordless_at
            raise DeadlineError(self._silence if silent else self._longest_wait, silent=silent) from error
        finally:
            self._timeout = None

    def _move(self) -> None:
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(self._when)

    @property
    def _when(self) -> float | None:
        return None if self.at == math.inf else self.at
