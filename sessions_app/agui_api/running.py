"""`POST /ag-ui/`: a run is begun, or found, and its events are told to the client up to its end."""

from __future__ import annotations

import asyncio
from uuid import UUID

from sessions_app.agui_api import reading, snapshot
from sessions_app.agui_api.following import RunFollower
from sessions_app.agui_api.grammar import Event
from sessions_app.agui_api.telling import Telling
from sessions_app.api.auth import Caller
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.errors import Conflict, NotFound, NotTaken
from sessions_app.http_api.errors import ApiError, Gone
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.following import following
from sessions_app.http_api.sent_files import SentFiles, sent_files
from sessions_app.turn_store.thread_history import names_of
from sessions_app.turn_store.threads import ThreadRun, end_of, interrupts

_ALIVE = b": the model is at work\n\n"
"""A comment, which clients of server-sent events leave out."""


async def run(exchange: Exchange, caller: Caller) -> None:
    """Begin a run in a thread, or follow the one with the same id, and tell its events.

    Raises ApiError, CommandError, Unauthorised, Gone.
    """
    async with sent_files(exchange, caller) as files:
        await _run(exchange, caller, files)


async def _run(exchange: Exchange, caller: Caller, files: SentFiles) -> None:
    request = await asyncio.to_thread(reading.read, await files.body(), files)
    follower = RunFollower(caller)
    telling = Telling(exchange, request)
    async with following(exchange, follower):
        try:
            service = exchange.runner.service
            found = await service.run_thread(caller.user_id, request.asked, keep=files.keep, door=caller)
            files.close()
        except NotTaken:
            raise
        except Conflict as error:
            await telling.fail(error.text, "conflict")
        except NotFound:
            raise ApiError(404, "There is no model that you may use.", code="model_not_found") from None
        else:
            await _tell(exchange, caller, follower, found, telling)
    await exchange.end_stream()


async def _tell(exchange: Exchange, caller: Caller, follower: RunFollower, found: ThreadRun, telling: Telling) -> None:
    """Tell a run up to its end."""
    telling.session_id = found.session_id
    try:
        if found.asked is None:
            goes_on = await _join(exchange, caller, follower, found, telling)
        else:
            exchange.runner.service.follow(found.session_id, follower)
            if found.asked.queued or not found.is_exact:
                telling.miss()
            await telling.send(_ALIVE)
            goes_on = True
        if goes_on and found.run_id is not None:
            await _follow(caller, follower, found.session_id, found.run_id, telling)
    except Gone:
        raise
    except ApiError as error:
        if not exchange.started:
            raise
        await telling.fail(error.error["message"] or "", error.error["code"])
    except Exception:
        # A stream that just ended would be taken for a whole answer.
        if exchange.started:
            await telling.fail("Something went wrong on the server.", "internal")
        raise


async def _join(exchange: Exchange, caller: Caller, follower: RunFollower, found: ThreadRun, telling: Telling) -> bool:
    """Tell what there is of a run that was begun before; return whether more is to come."""
    session_id = found.session_id
    opened = await exchange.runner.service.open_session(session_id, follower, snapshot.MAX_MESSAGES, door=caller)
    names = await caller.read(names_of, session_id)
    messages = await asyncio.to_thread(snapshot.encoded, opened["messages"], opened["queued"], names)
    await telling.begin()
    await telling.send(messages)
    telling.miss()  # the calls of the answer under way are told when it is stored
    running: RunShape | None = opened["run"]
    if running is not None and running.run_id == found.run_id:
        await telling.catch_up(running)
        follower.seq = running.seq
        return True
    if any(each.run_id == found.run_id for each in opened["queued"]):
        return True
    await telling.put(await _end(caller, found))
    return False


async def _end(caller: Caller, found: ThreadRun) -> Event:
    """Return the event that ended a run; of no run, one that says that all is told, and what waits for a person."""
    if found.run_id is None:
        ended = await caller.read(interrupts, caller.user_id, found.session_id)
        if ended is None:
            return {"type": "RUN_FINISHED", "outcome": {"type": "success"}}
    else:
        ended = await caller.read(end_of, caller.user_id, found.session_id, found.run_id)
    if ended is None:
        return {"type": "RUN_ERROR", "message": "The chat was deleted.", "code": "deleted"}
    event: Event = ended.model_dump(mode="json", by_alias=True)
    return event


async def _follow(caller: Caller, follower: RunFollower, session_id: UUID, run_id: UUID, telling: Telling) -> None:
    async for event in follower.events(session_id, run_id):
        if event is None:
            await telling.send(_ALIVE)
            continue
        if follower.missed:
            telling.miss()
        if telling.must_be_told(event):
            await telling.tell_stored(event, await _stored(caller, session_id))
        await telling.put(event)


async def _stored(caller: Caller, session_id: UUID) -> bytes:
    """Return the event that tells what is stored now; none of a chat that is gone."""
    try:
        return await caller.read(snapshot.read_again, caller.user_id, session_id)
    except NotFound:
        return b""
