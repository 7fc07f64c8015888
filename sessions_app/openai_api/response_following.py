"""What happens to one response: the events of its run, and the facts of its session, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.following import Follower, event_of
from sessions_app.realtime.notices import Notice, RunNotice

ENDS = ("RUN_FINISHED", "RUN_ERROR")


class ResponseFollower(Follower):
    """Follows one run of a user. Lives as long as the request that follows it."""

    async def told(self, session_id: UUID, run_id: UUID) -> AsyncIterator[dict[str, Any] | None]:
        """Yield what happens up to the run's end, AG-UI's events; None where nothing has happened for long.

        Raises Gone, and ApiError where the chat was deleted or the caller may no longer act.
        """
        while True:
            notice = await self.next_notice()
            event = self._taken(notice, session_id, run_id) if notice is not None else None
            if event is None and notice is not None:
                continue
            yield event
            if event is not None and event["type"] in ENDS:
                return

    def _taken(self, notice: Notice, session_id: UUID, run_id: UUID) -> dict[str, Any] | None:
        if isinstance(notice, RunNotice):
            opened = self.opened.get(session_id)
            is_new = opened is not None and opened.lacks(notice)
            return event_of(notice.text) if notice.run_id == run_id and is_new else None
        if notice.closes == session_id:
            raise ApiError(404, "The chat was deleted.", kind="server_error", code="deleted")
        return event_of(notice.text) if f'"session_id":"{session_id}"' in notice.text[:200] else None
