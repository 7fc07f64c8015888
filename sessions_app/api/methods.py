"""The methods: what each takes, answers and refuses, and who carries it out.

A handler gets validated parameters and the call. It reaches the database only through
``call.caller``, which checks that the caller may still act, or asks it to check first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from django.conf import settings

from sessions_app import journal
from sessions_app.api import method_types
from sessions_app.api.auth import Caller
from sessions_app.api.events import fact_notification
from sessions_app.conversations import access, profiles, storage
from sessions_app.conversations.schemas import Shape
from sessions_app.conversations.search import search
from sessions_app.errors import CommandError, Conflict, NotFound, TooLarge
from sessions_app.journal import foreign
from sessions_app.realtime.subscriptions import Subscription
from sessions_app.session_store import chats, forking, ratings
from sessions_app.turns.runner import Runner
from sessions_app.turns.service import TurnService
from sessions_app.web import rendering

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, and what their connection receives."""

    caller: Caller
    subscription: Subscription
    runner: Runner

    @property
    def service(self) -> TurnService:
        """What is asked of turns."""
        return self.runner.service

    async def write(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Carry out a transaction as the caller; the facts that it writes are delivered."""
        return await self.runner.publisher.write(self.caller, work, *args, **kwargs)


Handler = Callable[[Call, Any], Awaitable[Shape]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the API. ``errors`` are those beside the ones that all have: JSON-RPC's, and TooMany
    (commands).

    One that ``changes`` nothing of what is stored is dropped when its client has gone. Events that arrive while one
    that changes something is carried out, or one whose answer is a moment of the journal (``reflects``), come after its
    answer.
    """

    name: str
    params: type[method_types.Params]
    result: type[Shape]
    handler: Handler
    errors: tuple[type[CommandError], ...] = ()
    changes: bool = False
    reflects: bool = False


async def _create(call: Call, params: method_types.CreateParams) -> method_types.SessionResult:
    """Create a session. It is not opened by that."""
    session = await call.write(chats.create, call.caller.user_id, params.title, params.profile)
    return method_types.SessionResult(session=session)


async def _profiles(call: Call, params: method_types.NoParams) -> method_types.ProfilesResult:
    """List the profiles that the caller may choose."""
    return method_types.ProfilesResult(profiles=await call.caller.read(profiles.listing, call.caller.user_id))


async def _list(call: Call, params: method_types.ListParams) -> method_types.ListResult:
    """List the caller's sessions, newest activity first; archived ones only when asked for."""
    return await call.caller.read(
        _listing,
        call.caller.user_id,
        params.limit,
        after=params.cursor,
        query=params.query,
        archived=params.archived,
    )


def _listing(user_id: int, limit: int, **which: Any) -> method_types.ListResult:
    sessions, more = chats.listing(user_id, limit, **which)
    return method_types.ListResult(
        sessions=sessions,
        running=chats.running(sessions),
        next_cursor=more and more.encode(),
        cursor=journal.head(user_id),
    )


async def _open(call: Call, params: method_types.OpenParams) -> method_types.OpenResult:
    """Read the end of a session and receive its run events from here on, on this connection."""
    opened = await call.service.open_session(params.session_id, call.subscription, params.limit, door=call.caller)
    return method_types.OpenResult(**opened)


async def _close(call: Call, params: method_types.SessionParams) -> method_types.EmptyResult:
    """Receive no more run events of a session on this connection."""
    await call.caller.read(access.chat_session, call.caller.user_id, params.session_id)
    call.subscription.close(params.session_id)
    return method_types.EmptyResult()


async def _messages(call: Call, params: method_types.MessagesParams) -> method_types.WindowResult:
    """Read the messages before a position, after one, or around a message; ascending."""
    read, user_id, session_id = call.caller.read, call.caller.user_id, params.session_id
    if "around" in params.model_fields_set:
        window = await read(chats.messages_around, user_id, session_id, params.around, params.limit)
    elif "after" in params.model_fields_set:
        window = await read(chats.messages_after, user_id, session_id, params.after, params.limit)
    else:
        window = await read(chats.messages_before, user_id, session_id, params.before, params.limit)
    return method_types.WindowResult(messages=window.messages, has_more=window.has_more, has_newer=window.has_newer)


async def _update(call: Call, params: method_types.UpdateParams) -> method_types.SessionResult:
    """Rename, archive or pin a session: what is given changes, and it counts as no activity."""
    session = await call.write(chats.update, call.caller.user_id, params.session_id, params.changes)
    return method_types.SessionResult(session=session)


async def _ledger(call: Call, params: method_types.SessionParams) -> method_types.LedgerResult:
    """Tell what a session's turns have cost, why caches missed, and whether its profile was changed since it began."""
    totals, profile = await call.caller.read(chats.ledger, call.caller.user_id, params.session_id)
    return method_types.LedgerResult(**dict(totals), profile=profile)


async def _apply_profile(call: Call, params: method_types.SessionParams) -> method_types.SessionResult:
    """Let a session begin with its profile as it is now, from its next turn on: its prompt is read anew, once."""
    session = await call.write(chats.apply_profile, call.caller.user_id, params.session_id)
    return method_types.SessionResult(session=session)


async def _delete(call: Call, params: method_types.SessionParams) -> method_types.EmptyResult:
    """End a session's run, then delete the session with all its messages."""
    await call.service.delete_session(call.caller.user_id, params.session_id, door=call.caller)
    return method_types.EmptyResult()


async def _search(call: Call, params: method_types.SearchParams) -> method_types.SearchResult:
    """Find text in the caller's messages, any substring in any script, best first."""
    hits = await call.caller.read(search, call.caller.user_id, params.query, params.limit, params.session_id)
    return method_types.SearchResult(hits=hits)


async def _start(call: Call, params: method_types.StartParams) -> method_types.StartResult:
    """Say something: answered once the text is durable, run now or after the running turn."""
    started = await call.service.start_turn(
        call.caller.user_id,
        params.session_id,
        params.text,
        params.message_id,
        revision=params.revision,
        door=call.caller,
    )
    return method_types.StartResult(run_id=started.run_id, message=started.message, queued=started.queued)


async def _regenerate(call: Call, params: method_types.RegenerateParams) -> method_types.RegenerateResult:
    """Ask for another answer in the place of one, or to the last user's message: both stay, each in its branch."""
    branched = await call.service.regenerate(
        call.caller.user_id, params.session_id, params.message_id, profile_id=params.profile, door=call.caller
    )
    return method_types.RegenerateResult(run_id=branched.asked.run_id, session=branched.chat_session)


async def _edit(call: Call, params: method_types.EditParams) -> method_types.EditResult:
    """Say something in the place of one of the caller's messages: both stay, each in its branch."""
    branched = await call.service.edit_message(
        call.caller.user_id, params.message_id, params.text, params.new_id, door=call.caller
    )
    return method_types.EditResult(
        run_id=branched.asked.run_id, message=branched.asked.message, session=branched.chat_session
    )


async def _select(call: Call, params: method_types.SelectParams) -> method_types.SelectResult:
    """Show the line that a message is part of, as it goes on: the session's active branch from here on."""
    session, messages, has_more = await call.service.select_branch(
        call.caller.user_id, params.message_id, method_types.PAGE, door=call.caller
    )
    return method_types.SelectResult(session=session, messages=messages, has_more=has_more)


async def _fork(call: Call, params: method_types.ForkParams) -> method_types.SessionResult:
    """Make a new session of the line that a message ends; the old one stays as it is."""
    return method_types.SessionResult(session=await call.write(forking.fork, call.caller.user_id, params.message_id))


async def _rate(call: Call, params: method_types.RateParams) -> method_types.MessageResult:
    """Say what the caller thinks of an answer; null takes it back."""
    message = await call.write(ratings.rate, call.caller.user_id, params.message_id, params.rating, params.comment)
    return method_types.MessageResult(message=message)


async def _stop(call: Call, params: method_types.StopParams) -> method_types.StopResult:
    """Stop the running turn, or the one named: the text so far is kept; a queued one is withdrawn."""
    stopped = await call.service.stop_turn(call.caller.user_id, params.session_id, params.run_id, door=call.caller)
    return method_types.StopResult(stopped=stopped)


async def _usage(call: Call, params: method_types.NoParams) -> method_types.UsageResult:
    """Tell how much the caller stores, and how much they may."""
    used = await call.caller.read(storage.stored, call.caller.user_id)
    return method_types.UsageResult(
        sessions=method_types.SessionsUsed(count=used.sessions, quota=settings.HERMES_SESSIONS_PER_USER),
        text=method_types.TextUsed(characters=used.characters, quota=settings.HERMES_TEXT_QUOTA),
    )


async def _since(call: Call, params: method_types.SinceParams) -> method_types.SinceResult:
    """Tell the facts after a cursor, in order; what another program has changed until now is among them."""
    user_id = call.caller.user_id
    await call.caller.check()
    if changed := await call.caller.read(foreign.find, user_id):
        await call.write(foreign.tell, changed)
    page = await call.caller.read(journal.after, user_id, params.cursor, params.limit)
    if page.reset:
        return method_types.SinceResult(events=[], cursor=page.cursor, has_more=False, reset=True)
    events = [fact_notification(fact) for fact in page.facts]
    return method_types.SinceResult(events=events, cursor=page.cursor, has_more=page.has_more, reset=False)


async def _render(call: Call, params: method_types.RenderParams) -> method_types.RenderResult:
    """Turn Markdown into sanitised HTML, each text by itself."""
    await call.caller.check()
    return method_types.RenderResult(html=await rendering.render_all(call.caller.user_id, params.texts))


METHODS = {
    method.name: method
    for method in (
        Method(
            "session.create",
            method_types.CreateParams,
            method_types.SessionResult,
            _create,
            (TooLarge, NotFound),
            changes=True,
        ),
        Method("session.list", method_types.ListParams, method_types.ListResult, _list, (TooLarge,), reflects=True),
        Method("session.open", method_types.OpenParams, method_types.OpenResult, _open, (NotFound,), reflects=True),
        Method("session.close", method_types.SessionParams, method_types.EmptyResult, _close, (NotFound,)),
        Method(
            "session.messages", method_types.MessagesParams, method_types.WindowResult, _messages, (NotFound, Conflict)
        ),
        Method(
            "session.update",
            method_types.UpdateParams,
            method_types.SessionResult,
            _update,
            (TooLarge, NotFound),
            changes=True,
        ),
        Method("session.ledger", method_types.SessionParams, method_types.LedgerResult, _ledger, (NotFound,)),
        Method(
            "session.apply_profile",
            method_types.SessionParams,
            method_types.SessionResult,
            _apply_profile,
            (NotFound,),
            changes=True,
        ),
        Method(
            "session.delete", method_types.SessionParams, method_types.EmptyResult, _delete, (NotFound,), changes=True
        ),
        Method("session.search", method_types.SearchParams, method_types.SearchResult, _search, (TooLarge, NotFound)),
        Method(
            "turn.start",
            method_types.StartParams,
            method_types.StartResult,
            _start,
            (TooLarge, NotFound, Conflict),
            changes=True,
        ),
        Method(
            "turn.regenerate",
            method_types.RegenerateParams,
            method_types.RegenerateResult,
            _regenerate,
            (NotFound, Conflict),
            changes=True,
        ),
        Method(
            "message.edit",
            method_types.EditParams,
            method_types.EditResult,
            _edit,
            (TooLarge, NotFound, Conflict),
            changes=True,
        ),
        Method(
            "branch.select",
            method_types.SelectParams,
            method_types.SelectResult,
            _select,
            (NotFound, Conflict),
            changes=True,
        ),
        Method("session.fork", method_types.ForkParams, method_types.SessionResult, _fork, (NotFound,), changes=True),
        Method(
            "message.rate",
            method_types.RateParams,
            method_types.MessageResult,
            _rate,
            (TooLarge, NotFound),
            changes=True,
        ),
        Method("turn.stop", method_types.StopParams, method_types.StopResult, _stop, (NotFound,), changes=True),
        Method("profile.list", method_types.NoParams, method_types.ProfilesResult, _profiles),
        Method("events.since", method_types.SinceParams, method_types.SinceResult, _since, reflects=True),
        Method("account.usage", method_types.NoParams, method_types.UsageResult, _usage),
        Method("markdown.render", method_types.RenderParams, method_types.RenderResult, _render, (TooLarge,)),
    )
}


def changes(name: str) -> bool:
    """Tell whether a method changes what is stored; one that is not there does not."""
    return name in METHODS and METHODS[name].changes


def holds_events(name: str) -> bool:
    """Tell whether events wait for the answer of a method."""
    return name in METHODS and (METHODS[name].changes or METHODS[name].reflects)
