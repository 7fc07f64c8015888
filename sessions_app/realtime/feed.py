"""What other processes see of a run here: all of its events, as long as one of them watches its session.

A process where somebody opens a session says so to the user's other processes, and again from time to time: a run that
begins there is sent from its first event on, however short it is. A process that lacks events of a run says after
which one, and is sent those that are kept: so long that the checkpoint from which it goes on was read well within it.
Most users have all their tabs in one process; then nothing is sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from uuid import UUID

from ag_ui.core import BaseEvent, TextMessageContentEvent

from sessions_app.realtime.bus import Message
from sessions_app.realtime.run_events import RunStream

# Seconds that an event is kept. A checkpoint is at most one second old when it is read.
KEPT_SECONDS = 3.0
# Seconds that a session is watched after another process has said so; it says so every WATCH_SECONDS.
WATCHED_SECONDS, WATCH_SECONDS = 60.0, 20.0


class Watched:
    """The sessions that are open in other processes, as far as these have said so. Lives as long as the process."""

    def __init__(self) -> None:
        self._until: dict[UUID, float] = {}

    def note(self, session_ids: Iterable[UUID]) -> None:
        """Take word that sessions are open elsewhere; those of which there was none for long are forgotten."""
        now = asyncio.get_running_loop().time()
        self._until = {session_id: until for session_id, until in self._until.items() if until > now}
        self._until |= dict.fromkeys(session_ids, now + WATCHED_SECONDS)

    def has(self, session_id: UUID) -> bool:
        """Tell whether a session is open in another process."""
        return self._until.get(session_id, 0.0) > asyncio.get_running_loop().time()


class Feed:
    """One run's events on their way to other processes. Lives as long as the run; ``send`` sends to the user's."""

    def __init__(self, session_id: UUID, watched: Watched, send: Callable[[Message], None]) -> None:
        self._session_id = session_id
        self._watched = watched
        self._send = send
        self._kept: deque[tuple[float, Message]] = deque()

    def add(self, event: Message) -> None:
        """Take the run's next event."""
        now = asyncio.get_running_loop().time()
        self._kept.append((now, event))
        while self._kept[0][0] < now - KEPT_SECONDS:
            self._kept.popleft()
        if self._watched.has(self._session_id):
            self._send(event)

    def repeat(self, after: int) -> None:
        """Send what is kept of the events after ``after`` again."""
        for _, event in self._kept:
            if event["seq"] > after:
                self._send(event)


def event_message(run: RunStream, seq: int, event: BaseEvent, text: str) -> Message:
    """Return an event of a run as it is sent to other processes; ``message`` is the id of the answer under way."""
    delta = event.delta if isinstance(event, TextMessageContentEvent) else ""
    return {
        "kind": "event",
        "run": str(run.run_id),
        "seq": seq,
        "message": str(run.message_id),
        "delta": delta,
        "text": text,
    }


def origin(user_id: int, session_id: UUID, process: str, began: int) -> Message:
    """Return what a run's first event says besides: whose it is, and the cursor of the fact that its turn began."""
    return {"user": user_id, "session": str(session_id), "process": process, "began": began}
