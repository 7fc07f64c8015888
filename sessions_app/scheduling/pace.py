"""How much of one kind of work a round of the event loop begins, so that the loop comes round to everybody soon.

Each piece is small, but one event may make hundreds of them ready at once: they would all be done before the loop
looks at anything else, and again at each of the steps that another user's command takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

from sessions_app.scheduling.queue import FairQueue


class Pace:
    """Begins ``size`` pieces of work in each round of the loop, fairly by user (``queue``).

    Belongs to one event loop.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._begun = 0
        self._waiting: FairQueue[Callable[[], None]] = FairQueue()

    def begin(self, user: Hashable, work: Callable[[], None]) -> None:
        """Call ``work``: at once where this round has room, else in a later one. What waits must not be given again."""
        if self._begun < self._size and not self._waiting:
            self._begin(work)
        else:
            self._waiting.put(user, work)

    def _begin(self, work: Callable[[], None]) -> None:
        if self._begun == 0:
            asyncio.get_running_loop().call_soon(self._next_round)
        self._begun += 1
        work()

    def _next_round(self) -> None:
        self._begun = 0
        while self._waiting and self._begun < self._size:
            self._begin(self._waiting.take())
