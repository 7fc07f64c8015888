"""The events of one run, as they come, up to the one that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from sessions_app.agui_api.grammar import LAST, Event
from sessions_app.api.auth import Caller
from sessions_app.http_api.following import QUIET_SECONDS, Follower, event_of
from sessions_app.models import FactName
from sessions_app.realtime.notices import Notice, RunNotice


class RunFollower(Follower):
    """Follows one run of a user. Lives as long as the request.

    ``seq`` numbers the last event that is known; ``missed``: some of those after it did not come.
    """

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self.seq = 0
        self.missed = False

    async def events(self, session_id: UUID, run_id: UUID) -> AsyncIterator[Event | None]:
        """Yield the run's events that are not known yet; None where a while has passed without one.

        Raises ApiError where the caller may no longer act, Gone where the client has gone.
        """
        clock = asyncio.get_running_loop().time
        quiet_until = clock() + QUIET_SECONDS
        while True:
            notice = await self.next_notice()
            event = self._take(notice, session_id, run_id) if notice is not None else None
            if event is None and clock() < quiet_until:
                continue
            quiet_until = clock() + QUIET_SECONDS
            yield event
            if event is not None and event["type"] in LAST:
                return

    def _take(self, notice: Notice, session_id: UUID, run_id: UUID) -> Event | None:
        """Return the event of the run that a notice tells, None where it tells none that is new."""
        if isinstance(notice, RunNotice):
            return self._next(notice) if notice.run_id == run_id else None
        if notice.closes == session_id:
            return {"type": "RUN_ERROR", "message": "The chat was deleted.", "code": "deleted"}
        if f'"run_id":"{run_id}"' in notice.text and event_of(notice.text)["name"] == FactName.TURN_WITHDRAWN:
            return _withdrawn(session_id, run_id, event_of(notice.text)["value"].get("error"))
        return None

    def _next(self, notice: RunNotice) -> Event | None:
        if notice.seq is not None and notice.seq <= self.seq:
            return None
        # Of a run whose process has died nobody knows how far it came.
        self.missed = self.missed or notice.seq != self.seq + 1
        self.seq = notice.seq or self.seq
        return event_of(notice.text)


def _withdrawn(session_id: UUID, run_id: UUID, error: dict[str, str] | None) -> Event:
    if error:
        return {"type": "RUN_ERROR", "message": error["text"], "code": error["code"]}
    ids = {"threadId": str(session_id), "runId": str(run_id)}
    return {"type": "RUN_FINISHED", **ids, "outcome": {"type": "cancelled"}}
