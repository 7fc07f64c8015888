"""What one run says, as a program hears it: the words of an answer as one text, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sessions_app.api.auth import Caller
from sessions_app.conversations.line_digests import BETWEEN_STEPS
from sessions_app.http_api.errors import ApiError, of_run
from sessions_app.http_api.following import QUIET_SECONDS, Follower, event_of
from sessions_app.models import FactName, MessageRole
from sessions_app.realtime.notices import Notice, RunNotice


@dataclass(frozen=True, slots=True)
class Words:
    """More of the answer; none: the model is at work."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class CallDelta:
    """A call of the program's begins, at its ``index`` among them; or, without a ``name``, more of its arguments."""

    index: int
    call_id: str
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """The run has ended well. ``finish`` says why the answer is not whole; ``usage`` is AG-UI's, of all its models.

    ``calls`` are those that wait for results of the program (as ``ToolCallShape``), ``interrupts`` those that a person
    must approve, as AG-UI tells them.
    """

    finish: str | None
    usage: list[dict[str, Any]]
    calls: list[dict[str, Any]] = field(default_factory=list)
    interrupts: list[dict[str, Any]] = field(default_factory=list)


Heard = Words | CallDelta | End


class RunFollower(Follower):
    """Follows one run of a user. Lives as long as the request that began it.

    ``tools`` are the names of the program's own: what the host's do is not told.
    """

    def __init__(self, caller: Caller, tools: Collection[str] = ()) -> None:
        super().__init__(caller)
        self._tools = tools
        self._called: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._finish: str | None = None
        self._spoke = False
        self._pending = ""

    async def told(self, session_id: UUID, run_id: UUID) -> AsyncIterator[Heard]:
        """Yield what a run says, from its first event to its end. Raises ApiError where it failed, Gone.

        ApiError also where the caller may no longer act.
        """
        clock = asyncio.get_running_loop().time
        quiet_until = 0.0
        while True:
            notice = await self.next_notice()
            heard = self._take(notice, session_id, run_id) if notice is not None else Words()
            if heard is None or (heard == Words() and clock() < quiet_until):
                continue
            quiet_until = clock() + QUIET_SECONDS
            yield heard
            if isinstance(heard, End):
                return

    def _take(self, notice: Notice, session_id: UUID, run_id: UUID) -> Heard | None:
        """Return what a notice says of the run, None for nothing. Raises ApiError."""
        if isinstance(notice, RunNotice):
            return self._hear(event_of(notice.text)) if notice.run_id == run_id else None
        if notice.closes == session_id:
            raise ApiError(404, "The chat was deleted.", kind="server_error", code="deleted")
        if f'"session_id":"{session_id}"' in notice.text[:200]:
            self._note(event_of(notice.text))
        return None

    def _hear(self, event: dict[str, Any]) -> Heard | None:
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
                interrupts = (event.get("outcome") or {}).get("interrupts") or []
                return End(self._finish, event.get("usage") or [], self._calls, interrupts)
            case "RUN_ERROR":
                raise of_run(event)
            case "TOOL_CALL_START" if event["toolCallName"] in self._tools:
                self._called.append(event["toolCallId"])
                return CallDelta(len(self._called) - 1, event["toolCallId"], event["toolCallName"])
            case "TOOL_CALL_ARGS" if event["toolCallId"] in self._called:
                call_id = event["toolCallId"]
                return CallDelta(self._called.index(call_id), call_id, arguments=event["delta"])
            case "REASONING_MESSAGE_CONTENT" | "TOOL_CALL_START":
                return Words()
        return None

    def _note(self, event: dict[str, Any]) -> None:
        """Take a fact of the session: an answer that was stored says whether it is whole."""
        value = event.get("value")
        if event.get("name") == FactName.MESSAGE_CREATED and value and value["role"] == MessageRole.ASSISTANT:
            self._finish = value["finish"]
            self._calls = [call for call in value.get("tool_calls") or () if call.get("waits")]
