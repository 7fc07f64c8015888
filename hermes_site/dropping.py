"""How fast what nobody wants is read: a piece at a time, in turn by address, however many send it.

A connection that was refused is read on until its client has seen why (hermes_site/lingering.py). On one machine or a
fast network that took as much of the event loop's time as there was: 64 kB a round, 250 MB a second. So after each
piece a connection is read no further until its turn comes. Every PAUSE one connection is read, PIECE_BYTES at once:
12 MB a second in all, which are 2 to 4 % of the loop's time. Nobody is refused by it: who sends one file that is too
large has it read as before, and an address that sends many shares its own turns.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from sessions_app.scheduling.queue import FairQueue

PAUSE = 0.02
"""Seconds between two pieces."""
PIECE_BYTES = 256 * 1024


class Dropping:
    """The connections of a process whose bytes are dropped. ``call_later(seconds, work)`` is the reactor's."""

    def __init__(self, call_later: Callable[[float, Callable[[], None]], Any]) -> None:
        self._call_later = call_later
        self._waiting: FairQueue[Callable[[], None]] = FairQueue()

    def wait(self, address: Hashable, read_on: Callable[[], None]) -> None:
        """Call ``read_on`` when it is the turn of a connection from an address; what waits is not given again."""
        if not self._waiting:
            self._call_later(PAUSE, self._next)
        self._waiting.put(address, read_on)

    def _next(self) -> None:
        read_on = self._waiting.take()
        if self._waiting:
            self._call_later(PAUSE, self._next)
        read_on()
