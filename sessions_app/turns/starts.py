"""Whose words come first where many turns start at the same time.

All turns of a process share one interpreter. To start one (its transaction, the request, the first word) costs some
twice as much as to read the rest of an answer. Where fifty users ask at once, and each answer is read as soon as it is
there, the user in the middle waits for twenty-five starts and for as many rests. So an answer whose first words have
gone out gives way, once, to the starts that came before those words. What comes later waits behind the rest, so a
process that is never without a start holds nobody up for longer; nor does a start that waits for a lock of the
database, because of ``LONGEST_WAIT_SECONDS``.

As a rule nothing of an answer is read meanwhile: it is in the socket's buffer, or still with its provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_WAIT_SECONDS = 0.5
"""Seconds that an answer pauses at most: about what fifty starts take on a slow machine."""


class Starts:
    """The starts of this process's turns, from the command until it is stored. Belongs to the event loop."""

    def __init__(self) -> None:
        # One user's end in the order in which they came, others' at about the same time: to wait for the newest is
        # nearly to wait for all of them, and needs no list.
        self._newest: asyncio.Future[None] | None = None

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Have the block count as a start, whatever comes of it."""
        ended = self._newest = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            ended.set_result(None)

    async def give_way(self) -> None:
        """Return when the starts that are under way have ended, at once where there are none."""
        if self._newest is not None and not self._newest.done():
            await asyncio.wait([self._newest], timeout=LONGEST_WAIT_SECONDS)
