"""Requests that a client sends again: their runs are found and followed, in whichever process they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from sessions_app.api.auth import Caller
from sessions_app.conversations import access, waiting_calls
from sessions_app.conversations.line_digests import BETWEEN_STEPS
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.conversations.schemas import message_shape
from sessions_app.errors import NotFound
from sessions_app.http_api.errors import of_run
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.following import Follower
from sessions_app.models import Message
from sessions_app.openai_api.following import CallDelta, End, Heard, RunFollower, Words
from sessions_app.openai_api.responses_store import answers
from sessions_app.turn_store.threads import end_of


async def join(
    exchange: Exchange, caller: Caller, follower: Follower, session_id: UUID, run_id: UUID
) -> RunShape | bool:
    """Follow a run that has begun before; return how far it has come.

    True where it waits, False where it has ended. Raises NotFound, Unauthorised.
    """
    opened = await exchange.runner.service.open_session(session_id, follower, 1, door=caller)
    run: RunShape | None = opened["run"]
    if run is not None and run.run_id == run_id:
        return run
    return any(queued.run_id == run_id for queued in opened["queued"])


async def told_again(
    exchange: Exchange, caller: Caller, follower: RunFollower, session_id: UUID, run_id: UUID
) -> AsyncIterator[Heard]:
    """Yield the answer of a run that has begun before, all of it once it has ended.

    Raises ApiError where it failed, NotFound, Gone.
    """
    run = await join(exchange, caller, follower, session_id, run_id)
    if run is not False:
        if isinstance(run, RunShape) and (run.text or run.calls):
            yield Words()  # at once, as the first request was answered when the answer began
        async for heard in follower.told(session_id, run_id):
            if not isinstance(heard, End):
                yield Words()
    for heard in await caller.read(_stored, caller.user_id, session_id, run_id):
        yield heard


def _stored(user_id: int, session_id: UUID, run_id: UUID) -> list[Heard]:
    """Return what a run has said, as it is stored. Raises ApiError where it failed, NotFound."""
    told = end_of(user_id, session_id, run_id)
    if told is None:
        raise NotFound
    event = told.model_dump(mode="json", by_alias=True, exclude_none=True)
    if event["type"] == "RUN_ERROR":
        raise of_run(event)
    rows = answers(access.response_turn(user_id, run_id))
    text = BETWEEN_STEPS.join(row.text for row in rows if row.text.strip())
    calls = _waiting(rows[-1]) if rows else []
    interrupts = (event.get("outcome") or {}).get("interrupts") or []
    finish = rows[-1].finish or None if rows else None
    deltas = [delta for index, call in enumerate(calls) for delta in _deltas(index, call)]
    return [Words(text), *deltas, End(finish, event.get("usage") or [], calls, interrupts)]


def _waiting(answer: Message) -> list[dict[str, str]]:
    ids = waiting_calls.ids_of([answer])[answer.pk]
    calls = waiting_calls.shown(message_shape(answer), ids).tool_calls or ()
    return [call.model_dump() for call in calls if call.waits]


def _deltas(index: int, call: dict[str, str]) -> tuple[CallDelta, CallDelta]:
    begins = CallDelta(index, call["id"], call["name"])
    return begins, CallDelta(index, call["id"], arguments=call["arguments"])
