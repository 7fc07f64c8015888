"""`/v1/conversations`: a conversation is a session."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import Field

from sessions_app.api.auth import Caller
from sessions_app.errors import NotFound
from sessions_app.files.brought import kept_first
from sessions_app.http_api.bodies import Lenient, parse
from sessions_app.http_api.exchange import Exchange
from sessions_app.http_api.sent_files import SentFiles, sent_files
from sessions_app.openai_api import ids, paging, responses_store
from sessions_app.openai_api.item_reading import SentItem, Told, read_items
from sessions_app.openai_api.response_reading import Metadata, no_conversation
from sessions_app.openai_api.responses_store import NoItem
from sessions_app.openai_api.streaming import encoded
from sessions_app.turn_store import conversing

_MAX_ITEMS = 20


class ConversationBody(Lenient):
    """What is read of a request's body."""

    items: Annotated[list[SentItem], Field(max_length=_MAX_ITEMS)] | None = None
    metadata: Metadata | None = None


async def create(exchange: Exchange, caller: Caller) -> None:
    """Make a conversation, with items in it where some are sent. Raises ApiError, CommandError, Gone."""
    publisher = exchange.runner.publisher
    async with sent_files(exchange, caller) as files:
        body, told = await asyncio.to_thread(_read, await files.body(), files)
        begin = partial(conversing.begin_conversation, caller.user_id, told.prompt, told.said, body.metadata)
        chat_session = await kept_first(lambda: publisher.write(caller, begin), files.keep)
    await exchange.answer(encoded(responses_store.conversation_of(chat_session)))


async def retrieve(exchange: Exchange, caller: Caller, name: str) -> None:
    """Answer a conversation. Raises ApiError."""
    try:
        found = await caller.read(responses_store.conversation, caller.user_id, _session(name))
    except NotFound:
        raise no_conversation(name) from None
    await exchange.answer(encoded(found))


async def items(exchange: Exchange, caller: Caller, name: str) -> None:
    """Answer items of a conversation, of the line that is shown. Raises ApiError."""
    page = paging.page(exchange)
    try:
        found = await caller.read(responses_store.conversation_items, caller.user_id, _session(name), page)
    except NotFound:
        raise no_conversation(name) from None
    except NoItem:
        raise paging.no_item(page) from None
    await exchange.answer(encoded(found))


def _read(body: bytes, files: SentFiles) -> tuple[ConversationBody, Told]:
    parsed = parse(ConversationBody, body or b"{}")
    return parsed, read_items(parsed.items or [], files, "items")


def _session(name: str) -> UUID:
    """Return the session that a conversation is. Raises NotFound."""
    if (session_id := ids.session_of(name)) is None:
        raise NotFound
    return session_id
