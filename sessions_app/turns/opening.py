"""Open a session: what is stored and what is running, as one consistent view.

The database is read in a thread while this process's own run goes on, so the two can
disagree for a moment: the answer is stored but the run still listed, or the other way round.
Then the database is read again; the run's identity and that of its answer tell when both
speak of the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sessions_app import access, branches
from sessions_app.database import Door
from sessions_app.models import Turn, TurnStatus
from sessions_app.shapes import (
    MessageShape,
    QueuedShape,
    RunShape,
    SessionShape,
    message_shape,
    queued_shape,
    session_shape,
)


@dataclass(frozen=True, slots=True)
class View:
    """A session as stored; ``process`` is the owner of its running turn."""

    chat_session: SessionShape
    messages: list[MessageShape]
    has_more: bool
    run: RunShape | None
    queued: list[QueuedShape]
    process: str | None

    def result(self, run: RunShape | None) -> dict[str, Any]:
        """Return the result of session.open, with the run as its owner knows it."""
        return {
            "session": self.chat_session,
            "messages": self.messages,
            "has_more": self.has_more,
            "run": run,
            "queued": self.queued,
        }


def read_view(user_id: int, session_id: UUID, limit: int) -> View:
    """Read a session with its last ``limit`` messages. Raises NotFound."""
    chat_session = access.chat_session(user_id, session_id)
    messages, has_more = branches.latest(chat_session, limit)
    beside = branches.alternatives(messages)
    alive = list(chat_session.turns.filter(status__in=[TurnStatus.QUEUED, TurnStatus.RUNNING]).order_by("id"))
    running = next((turn for turn in alive if turn.status == TurnStatus.RUNNING), None)
    return View(
        session_shape(chat_session),
        [message_shape(message, beside.get(message.pk)) for message in messages],
        has_more,
        _stored_run(running) if running else None,
        [queued_shape(turn) for turn in alive if turn.status == TurnStatus.QUEUED],
        running.process if running else None,
    )


async def open_view(
    door: Door,
    user_id: int,
    session_id: UUID,
    limit: int,
    *,
    process: str,
    live: Callable[[UUID], RunShape | None],
    given_up: Container[UUID],
) -> dict[str, Any]:
    """Read a session until the database and this process agree on its run. Raises NotFound.

    ``given_up`` are the runs that this process has left to recovery: nothing more comes of them.
    """
    while True:
        view = await door.read(read_view, user_id, session_id, limit)
        run = live(session_id)
        ours = view.run is not None and view.process == process and view.run.run_id not in given_up
        stored = view.run if ours else None
        if _identity(run) == _identity(stored):
            return view.result(run or view.run)


def _stored_run(turn: Turn) -> RunShape:
    return RunShape(run_id=turn.run_id, message_id=turn.answer_id, text=turn.checkpoint, seq=0)


def _identity(run: RunShape | None) -> tuple[UUID, UUID] | None:
    return (run.run_id, run.message_id) if run else None
