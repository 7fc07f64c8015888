"""What other processes see of a run here.

Its first and its last event go to whoever has the user. The rest goes only to a process that
asks for it, because most users have all their tabs in one: it asks when it hears of the first,
within milliseconds, so what was said till then is kept for it for a moment. A run that ends
before an answer could come is sent whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sessions_app.turns.hub import Notification

# Seconds; who asks later finds a gap, and mends it with session.open.
KEPT_SECONDS = 2.0
# Seconds in which a process that hears of a run has asked for it, unless it is under great load.
ASKED_SECONDS = 0.25


class Feed:
    """One run's events on their way to other processes. Lives as long as the run."""

    def __init__(self, tell: Callable[[Notification], None]) -> None:
        self._tell = tell
        self._followed = False
        self._kept: list[Notification] = []
        self._began = asyncio.get_running_loop().time()

    def add(self, notification: Notification) -> None:
        """Take the run's next event."""
        age = asyncio.get_running_loop().time() - self._began
        if notification.last and age < ASKED_SECONDS:
            self.follow()
        if self._followed or notification.seq == 1 or notification.last:
            self._tell(notification)
        elif age < KEPT_SECONDS:
            self._kept.append(notification)
        else:
            self._kept.clear()

    def follow(self) -> None:
        """Send everything from here on, and what was kept."""
        self._followed = True
        kept, self._kept = self._kept, []
        for notification in kept:
            self._tell(notification)
