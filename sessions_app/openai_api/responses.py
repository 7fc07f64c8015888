"""`/v1/responses`: ask for a response, read it also while it is made, cancel it, delete it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from sessions_app.api.auth import Caller
from sessions_app.conversations import access
from sessions_app.errors import BadInput, CommandError, Conflict, NotFound, NotTaken, TooLarge
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.following import following
from sessions_app.http_api.sent_files import SentFiles, sent_files
from sessions_app.models import Turn
from sessions_app.openai_api import ids, models, naming, paging, response_reading, responses_store
from sessions_app.openai_api.response_following import ResponseFollower
from sessions_app.openai_api.response_objects import response_of, tool_names
from sessions_app.openai_api.response_reading import ResponseRequest, no_conversation, no_previous
from sessions_app.openai_api.responses_store import NoItem
from sessions_app.openai_api.streaming import FollowedRun, encoded
from sessions_app.turn_store import deleting, recognising, referring
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turn_store.recognising import Heard
from sessions_app.turn_store.repeats import Sent

_CODES: dict[type[CommandError], str] = {TooLarge: "context_length_exceeded", NotTaken: "unsupported_value"}


class Deleted(BaseModel):
    """What is answered of a response that was deleted."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


async def create(exchange: Exchange, caller: Caller) -> None:
    """Answer a request for a response. Raises ApiError, CommandError, Unauthorised, Gone."""
    async with sent_files(exchange, caller) as files:
        await _create(exchange, caller, files)


async def _create(exchange: Exchange, caller: Caller, files: SentFiles) -> None:
    name = naming.session_name(exchange)
    body = await files.body()
    request = await asyncio.to_thread(response_reading.read, body, files)
    sent = await asyncio.to_thread(naming.sent, exchange, body, request.kept)
    profile = await models.find(caller, request.model)
    heard = Heard(profile.pk, request.prompt, request.said, name, request.tools, temporary=not request.stores)
    if request.runs_in_background and not request.streams:
        asked = await _ask(exchange, caller, request, heard, sent, files)
        run = FollowedRun(exchange, caller, ResponseFollower(caller), asked.turn.chat_session_id, asked.run_id)
        await (run.answer_now() if asked.repeated else run.answer_begun(response_of(asked.turn)))
        return
    follower = ResponseFollower(caller)
    async with following(exchange, follower):
        asked = await _ask(exchange, caller, request, heard, sent, files)
        files.close()
        await _follow(exchange, caller, request, asked, follower)


async def _ask(
    exchange: Exchange, caller: Caller, request: ResponseRequest, heard: Heard, sent: Sent, files: SentFiles
) -> AcceptedTurn:
    look = recognising.find
    if request.previous is not None:
        look = partial(referring.find_behind, run_id=request.previous)
    elif request.conversation is not None:
        look = partial(referring.find_in, session_id=request.conversation)
    service = exchange.runner.service
    try:
        return await service.converse(
            caller.user_id, heard, request.sampling, sent=sent, look=look, keep=files.keep, door=caller
        )
    except NotFound:
        if request.previous is not None:
            raise no_previous(ids.response_id(request.previous)) from None
        if request.conversation is not None:
            raise no_conversation(ids.conversation_id(request.conversation)) from None
        raise
    except (BadInput, TooLarge, NotTaken) as error:
        raise ApiError(400, error.text, code=_CODES.get(type(error)), param="input") from None
    except Conflict as error:
        if request.conversation is None:
            raise
        # Its client may try again by itself: nothing was stored.
        raise ApiError(409, error.text, code="conversation_locked", param="conversation") from None


async def _follow(
    exchange: Exchange, caller: Caller, request: ResponseRequest, asked: AcceptedTurn, follower: ResponseFollower
) -> None:
    session_id = asked.turn.chat_session_id
    names = frozenset(tool.name for tool in request.tools)
    run = FollowedRun(exchange, caller, follower, session_id, asked.run_id, not request.stores, names)
    if not asked.repeated:
        exchange.runner.service.follow(session_id, follower)
        await (run.stream(response_of(asked.turn)) if request.streams else run.answer())
    elif request.streams:
        await run.stream_again()
    else:
        await run.answer_again()


async def retrieve(exchange: Exchange, caller: Caller, name: str) -> None:
    """Answer a response as it stands, or with ``stream=true`` its events from the beginning. Raises ApiError, Gone."""
    asked = paging.query(exchange)
    if "starting_after" in asked:
        told = "Events are not kept: without it, all there is of the response so far is sent, and then what comes."
        raise ApiError(400, told, code="unsupported_value", param="starting_after")
    turn = await _turn(caller, name)
    if asked.get("stream") != "true":
        await _tell(exchange, caller, name)
        return
    follower = ResponseFollower(caller)
    async with following(exchange, follower):
        names = tool_names(turn.chat_session)
        run = FollowedRun(exchange, caller, follower, turn.chat_session_id, turn.run_id, tools=names)
        await run.stream_again()


async def cancel(exchange: Exchange, caller: Caller, name: str) -> None:
    """Stop a response, wherever it is made, and answer it; of one that has ended nothing changes. Raises ApiError."""
    turn = await _turn(caller, name)
    service = exchange.runner.service
    await service.stop_turn(caller.user_id, turn.chat_session_id, turn.run_id, door=caller)
    await _tell(exchange, caller, name)


async def delete(exchange: Exchange, caller: Caller, name: str) -> None:
    """Delete a response, stopped first; its session goes with the last one that is in it. Raises ApiError."""
    turn = await _turn(caller, name)
    service, user_id = exchange.runner.service, caller.user_id
    await service.stop_turn(user_id, turn.chat_session_id, turn.run_id, door=caller)
    try:
        if await caller.write(deleting.delete_response, user_id, turn.chat_session_id, turn.run_id):
            await service.delete_session(user_id, turn.chat_session_id, door=caller)
    except NotFound:
        raise _no_response(name) from None
    await exchange.answer(Deleted(id=name).model_dump_json().encode())


async def input_items(exchange: Exchange, caller: Caller, name: str) -> None:
    """Answer what a response was made of. Raises ApiError."""
    page = paging.page(exchange)
    try:
        found = await caller.read(responses_store.input_items, caller.user_id, _run(name), page)
    except NotFound:
        raise _no_response(name) from None
    except NoItem:
        raise paging.no_item(page) from None
    await exchange.answer(encoded(found))


async def _tell(exchange: Exchange, caller: Caller, name: str) -> None:
    try:
        await exchange.answer(encoded(await caller.read(responses_store.response, caller.user_id, _run(name))))
    except NotFound:
        raise _no_response(name) from None


async def _turn(caller: Caller, name: str) -> Turn:
    try:
        turn: Turn = await caller.read(access.response_turn, caller.user_id, _run(name))
    except NotFound:
        raise _no_response(name) from None
    return turn


def _run(name: str) -> UUID:
    """Return the run that a response is. Raises NotFound."""
    if (run_id := ids.run_of(name)) is None:
        raise NotFound
    return run_id


def _no_response(name: str) -> ApiError:
    return ApiError(404, f"Response with id {name[:100]!r} not found.", code="response_not_found")
