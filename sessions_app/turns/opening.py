"""Open a session: what is stored and what is running, as one consistent view.

The database is read in a thread while this process's own run goes on, so the two can
disagree for a moment: the answer is stored but the run still listed, or the other way round.
Then the database is read again; the run's identity and that of its answer tell when both
speak of the same moment. The same holds for a run of another process, whose owner is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sessions_app import access, branches
from sessions_app.database import Door
from sessions_app.models import Turn, TurnStatus
from sessions_app.outcomes import message_shapes
from sessions_app.shapes import (
    MessageShape,
    QueuedShape,
    RunShape,
    SessionShape,
    queued_shape,
    session_shape,
)

# Database and owner disagree for the moment between a commit and its word. An owner that still
# speaks of another run after a second has lost this one.
ATTEMPTS, QUICK_ATTEMPTS, PAUSE = 20, 3, 0.06


class Silent(Exception):  # an outcome, not a fault
    """The owner of a run did not answer: it is dead, paused or cut off."""


@dataclass(frozen=True, slots=True)
class View:
    """A session as stored; ``process`` is the owner of its running turn."""

    chat_session: SessionShape
    messages: list[MessageShape]
    has_more: bool
    run: RunShape | None
    queued: list[QueuedShape]
    process: str | None

    def result(self) -> dict[str, Any]:
        """Return the result of session.open."""
        return {
            "session": self.chat_session,
            "messages": self.messages,
            "has_more": self.has_more,
            "run": self.run,
            "queued": self.queued,
        }


def read_view(user_id: int, session_id: UUID, limit: int) -> View:
    """Read a session with its last ``limit`` messages. Raises NotFound."""
    chat_session = access.chat_session(user_id, session_id)
    messages, has_more = branches.latest(chat_session, limit)
    alive = list(chat_session.turns.filter(status__in=[TurnStatus.QUEUED, TurnStatus.RUNNING]).order_by("id"))
    running = next((turn for turn in alive if turn.status == TurnStatus.RUNNING), None)
    return View(
        session_shape(chat_session),
        message_shapes(messages),
        has_more,
        _stored_run(running) if running else None,
        [queued_shape(turn) for turn in alive if turn.status == TurnStatus.QUEUED],
        running.process if running else None,
    )


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a view comes from: the database, this process, the others.

    ``live`` returns this process's run of a session, ``ask`` the run as another process knows
    it, and raises Silent. ``given_up`` are the runs that this process has left to recovery: nothing
    more comes of them.
    """

    door: Door
    process: str
    live: Callable[[UUID], RunShape | None]
    ask: Callable[[str, int, UUID], Awaitable[RunShape | None]]
    given_up: Container[UUID]


async def open_view(sources: Sources, user_id: int, session_id: UUID, limit: int) -> View:
    """Read a session until the database and the owner of its run agree. Raises NotFound."""
    for attempt in range(ATTEMPTS):
        if attempt > QUICK_ATTEMPTS:
            await asyncio.sleep(PAUSE)
        view = await sources.door.read(read_view, user_id, session_id, limit)
        run = sources.live(session_id)
        ours = view.run if view.process == sources.process else None
        stored = ours if ours and ours.run_id not in sources.given_up else None
        if _identity(run) != _identity(stored):
            continue
        if view.run is None or ours:
            return replace(view, run=run or view.run)
        theirs = await _ask(sources, view, user_id, session_id)
        if _identity(theirs) == _identity(view.run):
            return replace(view, run=theirs)
    return view


async def _ask(sources: Sources, view: View, user_id: int, session_id: UUID) -> RunShape | None:
    """Return the run as its owner knows it, or its checkpoint where the owner does not answer."""
    try:
        return await sources.ask(view.process or "", user_id, session_id)
    except Silent:
        return view.run


def _stored_run(turn: Turn) -> RunShape:
    return RunShape(run_id=turn.run_id, message_id=turn.answer_id, text=turn.checkpoint, seq=0)


def _identity(run: RunShape | None) -> tuple[UUID, UUID] | None:
    return (run.run_id, run.message_id) if run else None
