"""What is done with whole sessions: create, list, change, fork, delete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sessions_app import journal
from sessions_app.api.method import Call, Method
from sessions_app.api.method_types import (
    LEFT_OUT,
    PAGE,
    EmptyResult,
    Id,
    Limit,
    PageCursor,
    Params,
    ProfileId,
    Query,
    SaidTitle,
    SessionParams,
    SessionResult,
    Title,
)
from sessions_app.conversations.ledger_schemas import TotalsShape
from sessions_app.conversations.search import QUERY_LENGTH
from sessions_app.conversations.session_schemas import ProfileShape, SessionShape
from sessions_app.conversations.shape import Shape
from sessions_app.errors import NotFound, TooLarge
from sessions_app.models.sessions import TITLE_LENGTH
from sessions_app.session_store import chats, forking
from sessions_app.session_store.chats import Changes


class CreateParams(Params):
    title: Title = ""
    """Its title; left out, one is made of what is said."""
    profile: ProfileId = LEFT_OUT
    """The id of the profile that answers in it; left out, the default one."""
    memory: bool = True
    """Whether the user's memory is told in it."""

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.title), TITLE_LENGTH


class ListParams(Params):
    limit: Limit = PAGE
    """How many sessions at most."""
    cursor: PageCursor = None
    """The ``next_cursor`` of the page before; left out, or null, for the first page."""
    query: Query = ""
    """What the titles hold, taken literally; empty for all."""
    archived: bool = False
    """Whether the archived ones are listed, or the others."""

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.query), QUERY_LENGTH


class ListResult(Shape):
    """``running``: the ids of those listed in which a turn runs; ``next_cursor``: null on the last page.

    ``cursor`` is that of the facts which the list reflects, for ``events.since``.
    """

    sessions: list[SessionShape]
    running: list[UUID]
    next_cursor: str | None
    cursor: int


class UpdateParams(SessionParams):
    title: SaidTitle = LEFT_OUT
    """Its new title."""
    archived: bool = LEFT_OUT
    """Whether it is listed among the archived ones."""
    pinned: bool = LEFT_OUT
    """Whether it is pinned."""
    memory: bool = LEFT_OUT
    """Whether the user's memory is told in it, from the next turn on."""
    profile: ProfileId = LEFT_OUT
    """The id of the profile that answers from the next turn on, with its prompt and tools as they are now."""

    @property
    def changes(self) -> Changes:
        """Only what was given."""
        given: Changes = self.model_dump(include=self.model_fields_set - {"session_id"})  # type: ignore[assignment]
        return given

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.title or ""), TITLE_LENGTH


class LedgerResult(TotalsShape):
    """What a session's counted turns have cost together, and whether its profile was changed since."""

    profile: ProfileShape | None


class ForkParams(Params):
    message_id: Id
    """The last message of the line that the new session has."""


async def _create(call: Call, params: CreateParams) -> SessionResult:
    """Create a session. It is not opened by that."""
    user_id, uses_memory = call.caller.user_id, params.memory
    session = await call.write(chats.create, user_id, params.title, params.profile, uses_memory=uses_memory)
    return SessionResult(session=session)


async def _list(call: Call, params: ListParams) -> ListResult:
    """List the caller's sessions, newest activity first; archived ones only when asked for."""
    return await call.caller.read(
        _listing,
        call.caller.user_id,
        params.limit,
        after=params.cursor,
        query=params.query,
        archived=params.archived,
    )


def _listing(user_id: int, limit: int, **which: Any) -> ListResult:
    sessions, more = chats.listing(user_id, limit, **which)
    return ListResult(
        sessions=sessions,
        running=chats.running(sessions),
        next_cursor=more and more.encode(),
        cursor=journal.head(user_id),
    )


async def _update(call: Call, params: UpdateParams) -> SessionResult:
    """Rename, archive or pin a session, or switch its memory: what is given changes, and it counts as no activity."""
    session = await call.write(chats.update, call.caller.user_id, params.session_id, params.changes)
    return SessionResult(session=session)


async def _ledger(call: Call, params: SessionParams) -> LedgerResult:
    """Tell what a session's turns have cost, why caches missed, and whether its profile was changed since it began."""
    totals, profile = await call.caller.read(chats.ledger, call.caller.user_id, params.session_id)
    return LedgerResult(**dict(totals), profile=profile)


async def _apply_profile(call: Call, params: SessionParams) -> SessionResult:
    """Let a session begin with its profile as it is now, from its next turn on: its prompt is read anew, once."""
    session = await call.write(chats.apply_profile, call.caller.user_id, params.session_id)
    return SessionResult(session=session)


async def _fork(call: Call, params: ForkParams) -> SessionResult:
    """Make a new session of the line that a message ends; the old one stays as it is."""
    return SessionResult(session=await call.write(forking.fork, call.caller.user_id, params.message_id))


async def _delete(call: Call, params: SessionParams) -> EmptyResult:
    """End a session's run, then delete the session with all its messages."""
    await call.service.delete_session(call.caller.user_id, params.session_id, door=call.caller)
    return EmptyResult()


METHODS = (
    Method("session.create", CreateParams, SessionResult, _create, (TooLarge, NotFound), changes=True),
    Method("session.list", ListParams, ListResult, _list, (TooLarge,), reflects=True),
    Method("session.update", UpdateParams, SessionResult, _update, (TooLarge, NotFound), changes=True),
    Method("session.ledger", SessionParams, LedgerResult, _ledger, (NotFound,)),
    Method("session.apply_profile", SessionParams, SessionResult, _apply_profile, (NotFound,), changes=True),
    Method("session.fork", ForkParams, SessionResult, _fork, (NotFound,), changes=True),
    Method("session.delete", SessionParams, EmptyResult, _delete, (NotFound,), changes=True),
)
