"""The methods: what each takes, answers and refuses, and who carries it out.

A handler gets validated parameters and the call. It reaches the database only through
``call.caller``, which checks that the caller may still act, or asks it to check first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from sessions_app import access, chats, storage
from sessions_app.api import frames
from sessions_app.api.auth import Caller
from sessions_app.errors import CommandError, Conflict, NotFound, TooLarge
from sessions_app.search import search
from sessions_app.shapes import SessionShape, Shape
from sessions_app.turns.hub import Connection
from sessions_app.turns.runner import Runner
from sessions_app.web import rendering


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, over which connection. ``until_answered`` is left right after the answer is queued."""

    caller: Caller
    connection: Connection
    runner: Runner
    until_answered: AsyncExitStack

    def announce(self, name: str, session: SessionShape) -> None:
        """Tell all of the caller's connections what has become of a session (after commit)."""
        self.runner.custom(self.caller.user_id, session.id, name, session)


Handler = Callable[[Call, Any], Awaitable[Shape]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the API. ``errors`` are those beside the ones that all have: JSON-RPC's, and TooMany
    (commands).

    One that ``changes`` nothing of what is stored is dropped when its client has gone.
    """

    name: str
    params: type[frames.Params]
    result: type[Shape]
    handler: Handler
    errors: tuple[type[CommandError], ...] = ()
    changes: bool = False


async def _create(call: Call, params: frames.CreateParams) -> frames.SessionResult:
    """Create a session. It is not opened by that."""
    session = await call.caller.write(chats.create, call.caller.user_id, params.title)
    call.announce("session.created", session)
    return frames.SessionResult(session=session)


async def _list(call: Call, params: frames.ListParams) -> frames.ListResult:
    """List the caller's sessions, newest activity first; archived ones only when asked for."""
    sessions, more = await call.caller.read(
        chats.listing,
        call.caller.user_id,
        params.limit,
        after=params.cursor,
        query=params.query,
        archived=params.archived,
    )
    return frames.ListResult(sessions=sessions, next_cursor=more and more.encode())


async def _open(call: Call, params: frames.OpenParams) -> frames.OpenResult:
    """Read the end of a session and receive its run events from here on, on this connection."""
    opened = await call.until_answered.enter_async_context(
        call.runner.opened(call.caller.user_id, params.session_id, call.connection, params.limit, door=call.caller)
    )
    return frames.OpenResult(**opened)


async def _close(call: Call, params: frames.SessionParams) -> frames.EmptyResult:
    """Receive no more run events of a session on this connection."""
    await call.caller.read(access.chat_session, call.caller.user_id, params.session_id)
    call.runner.hub.close(call.connection, params.session_id)
    return frames.EmptyResult()


async def _messages(call: Call, params: frames.MessagesParams) -> frames.MessagesResult:
    """Read the messages before a position, ascending."""
    messages, has_more = await call.caller.read(
        chats.messages, call.caller.user_id, params.session_id, params.before, params.limit
    )
    return frames.MessagesResult(messages=messages, has_more=has_more)


async def _update(call: Call, params: frames.UpdateParams) -> frames.SessionResult:
    """Rename, archive or pin a session: what is given changes, and it counts as no activity."""
    session = await call.caller.write(chats.update, call.caller.user_id, params.session_id, params.changes)
    call.announce("session.updated", session)
    return frames.SessionResult(session=session)


async def _ledger(call: Call, params: frames.SessionParams) -> frames.LedgerResult:
    """Tell what a session's turns have cost, why caches missed, and whether its profile was changed since it began."""
    totals, profile = await call.caller.read(chats.ledger, call.caller.user_id, params.session_id)
    return frames.LedgerResult(**dict(totals), profile=profile)


async def _apply_profile(call: Call, params: frames.SessionParams) -> frames.SessionResult:
    """Let a session begin with its profile as it is now, from its next turn on: its prompt is read anew, once."""
    session = await call.caller.write(chats.apply_profile, call.caller.user_id, params.session_id)
    call.announce("session.updated", session)
    return frames.SessionResult(session=session)


async def _delete(call: Call, params: frames.SessionParams) -> frames.EmptyResult:
    """End a session's run, then delete the session with all its messages."""
    await call.runner.delete_session(call.caller.user_id, params.session_id, door=call.caller)
    return frames.EmptyResult()


async def _search(call: Call, params: frames.SearchParams) -> frames.SearchResult:
    """Find text in the caller's messages, any substring in any script, newest first."""
    hits = await call.caller.read(search, call.caller.user_id, params.query, params.limit)
    return frames.SearchResult(hits=hits)


async def _start(call: Call, params: frames.StartParams) -> frames.StartResult:
    """Say something: answered once the text is durable, run now or after the running turn."""
    started = await call.runner.start_turn(
        call.caller.user_id, params.session_id, params.text, params.message_id, door=call.caller
    )
    return frames.StartResult(run_id=started.run_id, message=started.message, queued=started.queued)


async def _stop(call: Call, params: frames.StopParams) -> frames.StopResult:
    """Stop the running turn, or the one named: the text so far is kept; a queued one is withdrawn."""
    stopped = await call.runner.stop_turn(call.caller.user_id, params.session_id, params.run_id, door=call.caller)
    return frames.StopResult(stopped=stopped)


async def _usage(call: Call, params: frames.NoParams) -> frames.UsageResult:
    """Tell how much the caller stores, and how much they may."""
    used = await call.caller.read(storage.stored, call.caller.user_id)
    return frames.UsageResult(
        sessions=frames.SessionsUsed(count=used.sessions, quota=settings.HERMES_SESSIONS_PER_USER),
        text=frames.TextUsed(characters=used.characters, quota=settings.HERMES_TEXT_QUOTA),
    )


async def _render(call: Call, params: frames.RenderParams) -> frames.RenderResult:
    """Turn Markdown into sanitised HTML, each text by itself."""
    await call.caller.check()
    return frames.RenderResult(html=await rendering.render_all(call.caller.user_id, params.texts))


METHODS = {
    method.name: method
    for method in (
        Method("session.create", frames.CreateParams, frames.SessionResult, _create, (TooLarge,), changes=True),
        Method("session.list", frames.ListParams, frames.ListResult, _list, (TooLarge,)),
        Method("session.open", frames.OpenParams, frames.OpenResult, _open, (NotFound,)),
        Method("session.close", frames.SessionParams, frames.EmptyResult, _close, (NotFound,)),
        Method("session.messages", frames.MessagesParams, frames.MessagesResult, _messages, (NotFound,)),
        Method(
            "session.update", frames.UpdateParams, frames.SessionResult, _update, (TooLarge, NotFound), changes=True
        ),
        Method("session.ledger", frames.SessionParams, frames.LedgerResult, _ledger, (NotFound,)),
        Method(
            "session.apply_profile",
            frames.SessionParams,
            frames.SessionResult,
            _apply_profile,
            (NotFound,),
            changes=True,
        ),
        Method("session.delete", frames.SessionParams, frames.EmptyResult, _delete, (NotFound,), changes=True),
        Method("session.search", frames.SearchParams, frames.SearchResult, _search, (TooLarge,)),
        Method(
            "turn.start", frames.StartParams, frames.StartResult, _start, (TooLarge, NotFound, Conflict), changes=True
        ),
        Method("turn.stop", frames.StopParams, frames.StopResult, _stop, (NotFound,), changes=True),
        Method("account.usage", frames.NoParams, frames.UsageResult, _usage),
        Method("markdown.render", frames.RenderParams, frames.RenderResult, _render, (TooLarge,)),
    )
}


def changes(name: str) -> bool:
    """Tell whether a method changes what is stored; one that is not there does not."""
    return name in METHODS and METHODS[name].changes
