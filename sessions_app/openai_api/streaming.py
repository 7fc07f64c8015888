"""Follow a response to its end for a request: in events, or until it can be answered whole."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sessions_app.api.auth import Caller
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.errors import NotFound
from sessions_app.http_api.errors import ApiError, of_run
from sessions_app.http_api.exchange import Exchange
from sessions_app.openai_api import responses_store
from sessions_app.openai_api.answers import ALIVE
from sessions_app.openai_api.ids import message_of
from sessions_app.openai_api.items import Item
from sessions_app.openai_api.rejoining import join
from sessions_app.openai_api.response_events import ResponseEvents
from sessions_app.openai_api.response_following import ENDS, ResponseFollower

_NOT_YET: dict[str, Any] = {
    "status": "in_progress",
    "output": [],
    **dict.fromkeys(("completed_at", "error", "incomplete_details", "usage")),
}
"""What is told of a response that has begun just now."""


@dataclass(frozen=True, slots=True)
class FollowedRun:
    """A response that a request follows. ``is_temporary``: its session is deleted when the answer is out.

    ``tools`` are the names of the program's own.
    """

    exchange: Exchange
    caller: Caller
    follower: ResponseFollower
    session_id: UUID
    run_id: UUID
    is_temporary: bool = False
    tools: frozenset[str] = frozenset()

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with its answer."""
        return {"X-Session-Id": str(self.session_id)}

    async def answer_begun(self, begun: dict[str, Any]) -> None:
        """Answer a run that has begun just now, and do not wait for it."""
        await self.exchange.answer(encoded(begun), headers=self.headers)

    async def answer_now(self) -> None:
        """Answer it as it stands. Raises NotFound."""
        await self.exchange.answer(encoded(await self._read()), headers=self.headers)

    async def answer(self) -> None:
        """Answer it whole, once its run has ended. Raises ApiError where that has failed, Gone."""
        async for event in self.follower.told(self.session_id, self.run_id):
            if event is not None and event["type"] in ENDS:
                response = await self._ended()
                if event["type"] == "RUN_ERROR":
                    raise of_run(event, param="input")
                await self.exchange.answer(encoded(response), headers=self.headers)

    async def answer_again(self) -> None:
        """Answer a run that has begun before, once it has ended. Raises ApiError, NotFound, Gone."""
        if await self._join() is False:
            await self.answer_now()
        else:
            await self.answer()

    async def stream(self, begun: dict[str, Any]) -> None:
        """Send the events of a run that has begun just now. Raises Gone."""
        events = ResponseEvents(self.tools)
        await self.exchange.stream(events.begin(begun), self.headers)
        await self._go_on(events)

    async def stream_again(self) -> None:
        """Send the events of a run that has begun before: what there was of it, then what comes.

        Raises NotFound, Gone.
        """
        run = await self._join()
        response = await self._read()
        events = ResponseEvents(self.tools)
        await self.exchange.stream(events.begin({**response, **_NOT_YET}), self.headers)
        if run is False:
            await self.exchange.stream(events.repeat(response["output"]) + events.end(response), self.headers)
            await self.exchange.end_stream()
            return
        if isinstance(run, RunShape):
            done = _before(response["output"], run.message_id)
            under_way = str(run.message_id) if run.text else None
            await self.exchange.stream(events.repeat(done, under_way, run.text), self.headers)
        await self._go_on(events)

    async def _join(self) -> RunShape | bool:
        return await join(self.exchange, self.caller, self.follower, self.session_id, self.run_id)

    async def _go_on(self, events: ResponseEvents) -> None:
        try:
            async for event in self.follower.told(self.session_id, self.run_id):
                if event is None:
                    await self.exchange.stream(ALIVE, self.headers)
                elif event["type"] in ENDS:
                    await self.exchange.stream(events.end(await self._ended()), self.headers)
                elif piece := events.hear(event):
                    await self.exchange.stream(piece, self.headers)
        except ApiError as error:
            await self.exchange.stream(events.fail(error.error), self.headers)
        await self.exchange.end_stream()

    async def _ended(self) -> dict[str, Any]:
        """Return the response, which has ended; then a temporary session is deleted. Raises ApiError."""
        try:
            response = await self._read()
        except NotFound:
            raise ApiError(404, "The chat was deleted.", kind="server_error", code="deleted") from None
        if self.is_temporary:
            with suppress(NotFound):
                service = self.exchange.runner.service
                await service.delete_session(self.caller.user_id, self.session_id, door=self.caller)
        return response

    async def _read(self) -> dict[str, Any]:
        user_id = self.caller.user_id
        response: dict[str, Any] = await self.caller.read(
            responses_store.response, user_id, self.run_id, even_temporary=self.is_temporary
        )
        return response


def _before(items: list[Item], message_id: UUID) -> list[Item]:
    """Return the items before those of a message."""
    own = [number for number, item in enumerate(items) if message_of(item["id"]) == message_id]
    return items[: own[0]] if own else items


def encoded(data: dict[str, Any]) -> bytes:
    """Return the body of an answer."""
    return json.dumps(data, ensure_ascii=False).encode()
