"""What one run says, as a program hears it: the words of an answer as one text, and how it ended.

A follower is a connection's subscription like any other. What it is told before it knows its run is kept until then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sessions_app.api.auth import Caller
from sessions_app.conversations.line_digests import BETWEEN_STEPS
from sessions_app.models import FactName, MessageRole
from sessions_app.openai_api.errors import ApiError, of_run, unauthorised
from sessions_app.realtime.notices import Notice, RunNotice
from sessions_app.realtime.subscriptions import Subscription

QUIET_SECONDS = 15.0
"""After so long without a word the client is told that the connection is alive: proxies close silent ones."""


class Gone(Exception):  # an outcome, not a fault
    """The client has closed the connection; the turn goes on."""


@dataclass(frozen=True, slots=True)
class Words:
    """More of the answer; none: the model is at work."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """The run has ended well. ``finish`` says why the answer is not whole; ``usage`` is AG-UI's, of all its models."""

    finish: str | None
    usage: list[dict[str, Any]]


class RunFollower(Subscription):
    """Follows one run of a user. Lives as long as the request that began it."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller.user_id, lambda text: None)
        self.caller: Caller | None = caller
        self._notices: asyncio.Queue[Notice | Exception] = asyncio.Queue()
        self._finish: str | None = None
        self._spoke = False
        self._pending = ""

    def deliver(self, notice: Notice) -> None:
        """Take a notice for this connection."""
        self._notices.put_nowait(notice)

    def leave(self) -> None:
        """Note that the client has gone."""
        self._notices.put_nowait(Gone())

    def turn_away(self) -> None:
        """End, because the caller may no longer act; the turn goes on."""
        self._notices.put_nowait(unauthorised())

    async def told(self, session_id: UUID, run_id: UUID) -> AsyncIterator[Words | End]:
        """Yield what a run says, from its first event to its end. Raises ApiError where it failed, Gone.

        ApiError also where the caller may no longer act.
        """
        clock = asyncio.get_running_loop().time
        quiet_until = 0.0
        while True:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    heard = self._take(await self._notices.get(), session_id, run_id)
            except TimeoutError:
                heard = Words()
            if heard is None or (heard == Words() and clock() < quiet_until):
                continue
            quiet_until = clock() + QUIET_SECONDS
            yield heard
            if isinstance(heard, End):
                return

    def _take(self, notice: Notice | Exception, session_id: UUID, run_id: UUID) -> Words | End | None:
        """Return what a notice says of the run, None for nothing. Raises ApiError, Gone."""
        if isinstance(notice, Exception):
            raise notice
        if isinstance(notice, RunNotice):
            return self._hear(_event(notice.text)) if notice.run_id == run_id else None
        if notice.closes == session_id:
            raise ApiError(404, "The chat was deleted.", kind="server_error", code="deleted")
        if f'"session_id":"{session_id}"' in notice.text[:200]:
            self._note(_event(notice.text))
        return None

    def _hear(self, event: dict[str, Any]) -> Words | End | None:
        match event["type"]:
            case "TEXT_MESSAGE_START":
                self._pending = BETWEEN_STEPS if self._spoke else ""
            case "TEXT_MESSAGE_CONTENT":
                # A step may be blank, and then it is not part of the answer.
                self._pending += event["delta"]
                if self._pending.strip():
                    words, self._pending, self._spoke = Words(self._pending), "", True
                    return words
                return Words()
            case "RUN_FINISHED":
                return End(self._finish, event.get("usage") or [])
            case "RUN_ERROR":
                raise of_run(event)
            case "REASONING_MESSAGE_CONTENT" | "TOOL_CALL_START":
                return Words()
        return None

    def _note(self, event: dict[str, Any]) -> None:
        """Take a fact of the session: an answer that was stored says whether it is whole."""
        value = event.get("value")
        if event.get("name") == FactName.MESSAGE_CREATED and value and value["role"] == MessageRole.ASSISTANT:
            self._finish = value["finish"]


def _event(text: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(text)["params"]["event"]
    return event
