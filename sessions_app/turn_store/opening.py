"""Open a session: what is stored and what is running, as one consistent view.

The rows are one snapshot, with the cursor of the facts that it reflects. How far the running turn has come says its
run, where it is this process's: the run is asked when the snapshot has arrived, and the two may disagree for a moment,
between a commit and the next round of the event loop. Then the snapshot is taken again. Of a run elsewhere the row has
a checkpoint, and what comes after it arrives by itself (``remote_runs``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sessions_app import journal
from sessions_app.conversations import access, approvals, branches
from sessions_app.conversations.approval_schemas import ApprovalShape
from sessions_app.conversations.outcomes import message_shapes
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.conversations.schemas import MessageShape, QueuedShape, queued_shape
from sessions_app.conversations.session_schemas import SessionShape, session_shape
from sessions_app.database import Door
from sessions_app.models import Turn, TurnStatus

# A process learns of a commit a little after the database has it; where the confirmation was lost, later.
ATTEMPTS, QUICK_ATTEMPTS, PAUSE_SECONDS = 20, 3, 0.06


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A session as stored, with its running turn, at the moment when the user's newest fact was ``cursor``."""

    chat_session: SessionShape
    messages: list[MessageShape]
    has_more: bool
    running: Turn | None
    queued: list[QueuedShape]
    approvals: list[ApprovalShape]
    cursor: int

    def result(self, run: RunShape | None) -> dict[str, Any]:
        """Return the result of session.open."""
        return {
            "session": self.chat_session,
            "messages": self.messages,
            "has_more": self.has_more,
            "run": run,
            "queued": self.queued,
            "approvals": self.approvals,
            "cursor": self.cursor,
        }


def read_snapshot(user_id: int, session_id: UUID, limit: int) -> Snapshot:
    """Read a session with its last ``limit`` messages. Raises NotFound."""
    chat_session = access.chat_session(user_id, session_id)
    messages, has_more = branches.latest(chat_session, limit)
    alive = list(chat_session.turns.filter(status__in=[TurnStatus.QUEUED, TurnStatus.RUNNING]).order_by("id"))
    return Snapshot(
        session_shape(chat_session),
        message_shapes(messages),
        has_more,
        next((turn for turn in alive if turn.status == TurnStatus.RUNNING), None),
        [queued_shape(turn) for turn in alive if turn.status == TurnStatus.QUEUED],
        approvals.waiting_shapes(chat_session),
        journal.head(user_id),
    )


async def read_until(
    door: Door, user_id: int, session_id: UUID, limit: int, agrees: Callable[[Turn | None], bool]
) -> Snapshot:
    """Read a session until its running turn is one that this process knows of. Raises NotFound."""
    for attempt in range(ATTEMPTS):
        if attempt > QUICK_ATTEMPTS:
            await asyncio.sleep(PAUSE_SECONDS)
        snapshot = await door.read(read_snapshot, user_id, session_id, limit)
        if agrees(snapshot.running):
            break
    return snapshot
