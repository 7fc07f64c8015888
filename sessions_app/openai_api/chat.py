"""`POST /v1/chat/completions`: a conversation is answered in its session, streamed or whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from sessions_app.api.auth import Caller
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.following import following
from sessions_app.http_api.sent_files import SentFiles, sent_files
from sessions_app.openai_api import models, naming, reading
from sessions_app.openai_api.answers import ALIVE, DONE, Completion
from sessions_app.openai_api.following import CallDelta, End, Heard, RunFollower, Words
from sessions_app.openai_api.reading import ChatRequest
from sessions_app.openai_api.rejoining import told_again
from sessions_app.turn_store import recognising
from sessions_app.turn_store.repeats import Sent


async def complete(exchange: Exchange, caller: Caller) -> None:
    """Answer a request for a chat completion. Raises ApiError, CommandError, Unauthorised, Gone."""
    name = naming.session_name(exchange)
    async with sent_files(exchange, caller) as files:
        body = await files.body()
        request = await asyncio.to_thread(reading.read, body, files)
        sent = await asyncio.to_thread(naming.sent, exchange, body, None)
        profile = await models.find(caller, request.model)
        heard = recognising.Heard(profile.pk, request.prompt, request.said, name, request.tools)
        follower = RunFollower(caller, {tool.name for tool in request.tools})
        async with following(exchange, follower):
            await _converse(exchange, caller, request, heard, sent, follower, files)


async def _converse(
    exchange: Exchange,
    caller: Caller,
    request: ChatRequest,
    heard: recognising.Heard,
    sent: Sent,
    follower: RunFollower,
    files: SentFiles,
) -> None:
    service = exchange.runner.service
    asked = await service.converse(caller.user_id, heard, request.sampling, sent=sent, keep=files.keep, door=caller)
    files.close()
    session_id = asked.turn.chat_session_id
    completion = Completion(asked.run_id, request.model)
    headers = {"X-Session-Id": str(session_id)}
    if asked.repeated:
        told = told_again(exchange, caller, follower, session_id, asked.run_id)
    else:
        service.follow(session_id, follower)
        told = follower.told(session_id, asked.run_id)
    if request.streams:
        await _stream(exchange, completion, told, headers, includes_usage=request.includes_usage)
    else:
        await _answer(exchange, completion, told, headers)


async def _answer(
    exchange: Exchange, completion: Completion, told: AsyncIterator[Heard], headers: dict[str, str]
) -> None:
    words: list[str] = []
    async for heard in told:
        if isinstance(heard, Words):
            words.append(heard.text)
        elif isinstance(heard, End):
            await exchange.answer(completion.whole("".join(words), heard), headers=headers)


async def _stream(
    exchange: Exchange,
    completion: Completion,
    told: AsyncIterator[Heard],
    headers: dict[str, str],
    *,
    includes_usage: bool,
) -> None:
    """Send the answer in events. What goes wrong before the first word has a status of its own."""
    options: dict[str, Any] = {"usage": None} if includes_usage else {}
    try:
        async for heard in told:
            if not exchange.started:
                await exchange.stream(completion.first(options), headers)
            if isinstance(heard, End):
                counted = completion.counted(heard.usage) if includes_usage else b""
                await exchange.stream(completion.last(heard, options) + counted + DONE, headers)
            elif isinstance(heard, CallDelta):
                await exchange.stream(completion.call(heard, options), headers)
            else:
                await exchange.stream(completion.words(heard.text, options) if heard.text else ALIVE, headers)
    except ApiError as error:
        if not exchange.started:
            raise
        await exchange.stream(b"data: " + error.body + b"\n\n", headers)
    await exchange.end_stream()
