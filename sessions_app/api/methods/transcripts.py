"""What is done with a transcript: open and close it, read it, choose its branch, search it, rate its answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import model_validator

from sessions_app.api.method import Call, Method
from sessions_app.api.method_types import (
    LEFT_OUT,
    PAGE,
    EmptyResult,
    Id,
    Limit,
    MessagesResult,
    Params,
    Position,
    Rating,
    SaidQuery,
    SessionParams,
    Text,
)
from sessions_app.conversations import access
from sessions_app.conversations.approval_schemas import ApprovalShape
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.conversations.schemas import MessageShape, QueuedShape
from sessions_app.conversations.search import QUERY_LENGTH, HitShape, search
from sessions_app.conversations.session_schemas import SessionShape
from sessions_app.conversations.shape import Shape
from sessions_app.errors import Conflict, NotFound, TooLarge
from sessions_app.session_store import chats, ratings

COMMENT_LENGTH = 2_000


class OpenParams(SessionParams):
    limit: Limit = PAGE
    """How many messages at most: the last ones."""


class OpenResult(MessagesResult):
    """The end of a session, the running turn (null where none runs), those that wait, and calls that wait for a person.

    ``cursor`` is that of the facts which all this reflects, for ``events.since``.
    """

    session: SessionShape
    run: RunShape | None
    queued: list[QueuedShape]
    approvals: list[ApprovalShape]
    cursor: int


class MessagesParams(SessionParams):
    """One of ``before``, ``after`` and ``around`` must be given."""

    before: Position = LEFT_OUT
    """A position: the messages before it."""
    after: Position = LEFT_OUT
    """A position: the messages after it."""
    around: Id = LEFT_OUT
    """The id of a message: that one, with those before and after it."""
    limit: Limit = PAGE
    """How many messages at most."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set & {"before", "after", "around"}) != 1:
            raise ValueError("must have one of before, after and around")
        return self


class WindowResult(MessagesResult):
    """``has_more``: there are older messages, ``has_newer``: there are newer ones."""

    has_newer: bool


class SelectParams(Params):
    message_id: Id
    """A message of the line that is to be shown."""


class SelectResult(MessagesResult):
    """The session and its last messages, as they are shown now."""

    session: SessionShape


class SearchParams(Params):
    query: SaidQuery
    """What the messages hold, taken literally."""
    session_id: Id = LEFT_OUT
    """The session to search in; left out, all of the caller's."""
    limit: Limit = PAGE
    """How many messages at most."""

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.query), QUERY_LENGTH


class SearchResult(Shape):
    """The messages found, the best first."""

    hits: list[HitShape]


class RateParams(Params):
    message_id: Id
    """The answer."""
    rating: Rating | None
    """1 for a good answer, -1 for a bad one, null to take it back."""
    comment: Text = ""
    """Why."""

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.comment), COMMENT_LENGTH


class MessageResult(Shape):
    """The message as it is now."""

    message: MessageShape


async def _open(call: Call, params: OpenParams) -> OpenResult:
    """Read the end of a session and receive its run events from here on, on this connection."""
    opened = await call.service.open_session(params.session_id, call.subscription, params.limit, door=call.caller)
    return OpenResult(**opened)


async def _close(call: Call, params: SessionParams) -> EmptyResult:
    """Receive no more run events of a session on this connection."""
    await call.caller.read(access.chat_session, call.caller.user_id, params.session_id)
    call.subscription.close(params.session_id)
    return EmptyResult()


async def _messages(call: Call, params: MessagesParams) -> WindowResult:
    """Read the messages before a position, after one, or around a message; ascending."""
    read, user_id, session_id = call.caller.read, call.caller.user_id, params.session_id
    if "around" in params.model_fields_set:
        window = await read(chats.messages_around, user_id, session_id, params.around, params.limit)
    elif "after" in params.model_fields_set:
        window = await read(chats.messages_after, user_id, session_id, params.after, params.limit)
    else:
        window = await read(chats.messages_before, user_id, session_id, params.before, params.limit)
    return WindowResult(messages=window.messages, has_more=window.has_more, has_newer=window.has_newer)


async def _select(call: Call, params: SelectParams) -> SelectResult:
    """Show the line that a message is part of, as it goes on: the session's active branch from here on."""
    session, messages, has_more = await call.service.select_branch(
        call.caller.user_id, params.message_id, PAGE, door=call.caller
    )
    return SelectResult(session=session, messages=messages, has_more=has_more)


async def _search(call: Call, params: SearchParams) -> SearchResult:
    """Find text in the caller's messages, any substring in any script, best first."""
    hits = await call.caller.read(search, call.caller.user_id, params.query, params.limit, params.session_id)
    return SearchResult(hits=hits)


async def _rate(call: Call, params: RateParams) -> MessageResult:
    """Say what the caller thinks of an answer; null takes it back."""
    message = await call.write(ratings.rate, call.caller.user_id, params.message_id, params.rating, params.comment)
    return MessageResult(message=message)


METHODS = (
    Method("session.open", OpenParams, OpenResult, _open, (NotFound,), reflects=True),
    Method("session.close", SessionParams, EmptyResult, _close, (NotFound,)),
    Method("session.messages", MessagesParams, WindowResult, _messages, (NotFound, Conflict)),
    Method("session.search", SearchParams, SearchResult, _search, (TooLarge, NotFound)),
    Method("branch.select", SelectParams, SelectResult, _select, (NotFound, Conflict), changes=True),
    Method("message.rate", RateParams, MessageResult, _rate, (TooLarge, NotFound), changes=True),
)
