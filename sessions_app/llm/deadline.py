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

    It only ever moves on. So bytes and words note the time and no more, and whether it is over is looked at when it
    would have been: to set a timer anew for each of them took as long as to read it.
    """

    def __init__(self, silence: float, longest_wait: float) -> None:
        self._silence, self._longest_wait = silence, longest_wait
        self._now = asyncio.get_running_loop().time
        self._silent_at = self._wordless_at = 0.0
        self.heard_word()

    @property
    def at(self) -> float:
        """The loop's time at which it is over."""
        return min(self._silent_at, self._wordless_at)

    def heard_bytes(self) -> None:
        """Note a sign of life."""
        self._silent_at = self._now() + self._silence

    def heard_word(self) -> None:
        """Note something of an answer."""
        self.heard_bytes()
        self._wordless_at = self._now() + self._longest_wait

    def lift(self) -> None:
        """Wait without end from here on: the provider has sent all of its answer, and what follows ends by itself."""
        self._silence = self._longest_wait = math.inf
        self.heard_word()

    @contextmanager
    def not_counted(self) -> Iterator[None]:
        """Have the time in the block not count, in which nobody waits for the provider."""
        began = self._now()
        try:
            yield
        finally:
            away = self._now() - began
            self._silent_at += away
            self._wordless_at += away

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Await something until the deadline, wherever that is moved meanwhile. Raises DeadlineError."""
        timer: asyncio.TimerHandle | None = None

        def look() -> None:
            nonlocal timer
            if self.at <= self._now():
                timeout.reschedule(self._now())
            elif self.at != math.inf:
                timer = asyncio.get_running_loop().call_at(self.at, look)

        try:
            async with asyncio.timeout(None) as timeout:
                look()
                return await awaitable
        except TimeoutError as error:
            silent = self._silent_at <= self._wordless_at
            raise DeadlineError(self._silence if silent else self._longest_wait, silent=silent) from error
        finally:
            if timer is not None:
                timer.cancel()
