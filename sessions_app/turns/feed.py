"""What other processes see of a run here: all of its events, as long as one of them follows it.

A process that begins to follow is sent the events that it lacks, as far as they are kept: so long that the checkpoint
from which it goes on was read well within it. Most users have all their tabs in one process; then nothing is sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from uuid import UUID

from ag_ui.core import BaseEvent, TextMessageContentEvent

from sessions_app.turns.bus import Message

# Seconds that an event is kept. A checkpoint is at most one second old when it is read.
KEPT_SECONDS = 3.0
# Seconds that a process follows after it has said so; it says so each second.
FOLLOWED_SECONDS = 5.0


class Feed:
    """One run's events on their way to other processes. Lives as long as the run; ``send`` sends to its followers."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._kept: deque[tuple[float, Message]] = deque()
        self._followed_until = 0.0

    def add(self, event: Message) -> None:
        """Take the run's next event."""
        now = asyncio.get_running_loop().time()
        self._kept.append((now, event))
        while self._kept[0][0] < now - KEPT_SECONDS:
            self._kept.popleft()
        if now < self._followed_until:
            self._send(event)

    def follow(self, after: int) -> None:
        """Send what is kept of the events after ``after``, and everything from here on."""
        now = asyncio.get_running_loop().time()
        for _, event in self._kept:
            if event["seq"] > after:
                self._send(event)
        self._followed_until = now + FOLLOWED_SECONDS


def event_message(run_id: UUID, seq: int, message_id: UUID, event: BaseEvent, text: str) -> Message:
    """Return an event of a run as it is sent to other processes; ``message_id`` is the answer's that is under way."""
    delta = event.delta if isinstance(event, TextMessageContentEvent) else ""
    return {
        "kind": "event",
        "run": str(run_id),
        "seq": seq,
        "message": str(message_id),
        "delta": delta,
        "text": text,
    }
