"""Begin a run in a client's thread, or find the one that it asks for: what AG-UI's requests do in the database.

A thread is a session, by its id or by a name of the client's own. Each request brings messages by their ids, all that
the client has or the new ones alone. In one transaction, under the session's lock:

1. The id of a run of this thread is asked for again: that run is followed.
2. Nothing is new: an answer is asked for again where the last message is the user's, and its answer is not on its way;
   else what runs is followed.
3. Something is new: it goes on behind the last message that is known, which may begin a branch; where none is known, at
   the end. Behind a turn that is alive it waits.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ag_ui.core import BaseEvent, RunFinishedCancelledOutcome, RunFinishedEvent

from sessions_app.conversations import access, branches, profiles
from sessions_app.conversations.line_digests import Said
from sessions_app.conversations.said_rows import said_after
from sessions_app.conversations.turn_results import ending_of, last_event
from sessions_app.errors import NotFound, WrongKind
from sessions_app.models import ChatSession, Message, MessageRole, Turn, TurnStatus
from sessions_app.turn_store import asking, continuing
from sessions_app.turn_store.alive import alive, check_free
from sessions_app.turn_store.brought_sessions import Moved
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turn_store.recognising import Found, Heard, Place, named
from sessions_app.turn_store.thread_history import History, ThreadMessage, canonical, history_of, name_messages

# Ids of runs that are strings of a client's own are made of them.
_NAMESPACE = UUID("6d5ae1f4-8f0c-4d3c-9a4f-2f5b7c1f0e33")


@dataclass(frozen=True, slots=True)
class ThreadRequest:
    """What a client asks for: ``thread`` and ``run`` as it calls them, and its messages.

    ``prompt`` is the system prompt that came with them, None where none did.
    """

    thread: str
    run: str
    prompt: str | None
    messages: tuple[ThreadMessage, ...]


@dataclass(frozen=True, slots=True)
class ThreadRun:
    """The run that a request is told of, None where there is none; ``asked`` where it was asked for just now.

    ``is_exact``: what the client has of the thread is what is stored.
    """

    session_id: UUID
    run_id: UUID | None
    asked: AcceptedTurn | None = None
    is_exact: bool = True


def take(user_id: int, request: ThreadRequest, *, process: str, accepting: bool) -> ThreadRun:
    """Begin the run that a request asks for, or find it.

    Raises Moved, NotFound (the profile, or the user may no longer act), WrongKind (nothing to answer), Conflict,
    StillStopping, TooLarge, TooMany.
    """
    ids = _run_ids(user_id, request)
    session_id = named(user_id, request.thread)
    if session_id is None:
        return _first(user_id, request, ids, process=process, accepting=accepting)
    try:
        chat_session = access.chat_session(user_id, session_id, lock=True)
    except NotFound:
        raise Moved from None
    if (earlier := chat_session.turns.filter(run_id__in=ids).first()) is not None:
        return ThreadRun(session_id, earlier.run_id)
    history = history_of(chat_session, request.messages)
    said, names = _said(history.new)
    if not said:
        return _again(chat_session, history, _free(ids), process=process, accepting=accepting)
    _check_asks(said)
    asked = _go_on(chat_session, history.last, said, _free(ids), process=process, accepting=accepting)
    name_messages(chat_session, names)
    return _begun(asked, is_exact=history.is_exact)


def end_of(user_id: int, session_id: UUID, run_id: UUID) -> BaseEvent | None:
    """Return the event that ended a run; None where it has not. Raises NotFound."""
    turn = access.chat_session(user_id, session_id).turns.filter(run_id=run_id).first()
    if turn is None or turn.ended_at is None:
        return None
    if turn.status == TurnStatus.WITHDRAWN:
        ids = {"thread_id": str(session_id), "run_id": str(run_id)}
        return RunFinishedEvent(**ids, outcome=RunFinishedCancelledOutcome())
    return last_event(session_id, run_id, ending_of(turn))


def _run_ids(user_id: int, request: ThreadRequest) -> list[UUID]:
    """Return what the run's id is, the first that is free: the client's own UUID, else one made of its string."""
    made = uuid.uuid5(_NAMESPACE, json.dumps([user_id, request.thread, request.run]))
    own = canonical(request.run)
    return [own, made] if own else [made]


def _free(ids: Sequence[UUID]) -> UUID:
    """Return the first id that no run has, whoever's."""
    taken = set(Turn.objects.filter(run_id__in=ids).values_list("run_id", flat=True))
    return next((each for each in ids if each not in taken), None) or uuid.uuid4()


def _first(user_id: int, request: ThreadRequest, ids: list[UUID], *, process: str, accepting: bool) -> ThreadRun:
    """Begin a thread with all that was said in it, and its first run."""
    said, names = _said(request.messages)
    _check_asks(said)
    heard = Heard(profiles.default(user_id).pk, request.prompt, said, request.thread)
    found = Found(name=request.thread)
    asked = continuing.say(user_id, heard, found, None, process=process, accepting=accepting, run_id=_free(ids))
    name_messages(asked.turn.chat_session, names)
    return _begun(asked)


def _again(chat_session: ChatSession, history: History, run_id: UUID, *, process: str, accepting: bool) -> ThreadRun:
    """Ask for another answer to what the user has said last, or find the run that is to be followed."""
    if history.turn is not None:
        return ThreadRun(chat_session.pk, history.turn.run_id)
    last, own_turns = history.last, chat_session.turns.filter(pk__in=alive(chat_session))
    if last is None or last.role != MessageRole.USER:
        running = own_turns.filter(status=TurnStatus.RUNNING).first()
        return ThreadRun(chat_session.pk, running.run_id if running else None)
    if (answering := own_turns.filter(message_id=last.public_id).first()) is not None:
        return ThreadRun(chat_session.pk, answering.run_id)
    return _begun(_say(chat_session, last, (), run_id, process=process, accepting=accepting), is_exact=history.is_exact)


def _go_on(
    chat_session: ChatSession,
    last: Message | None,
    said: tuple[Said, ...],
    run_id: UUID,
    *,
    process: str,
    accepting: bool,
) -> AcceptedTurn:
    """Begin a turn with what was said behind a message; without one, at the end of the line."""
    if alive(chat_session) and len(said) == 1 and _is_end(chat_session, last):
        [one] = said
        user_id, session_id = chat_session.owner_id, chat_session.pk
        return asking.ask(user_id, session_id, one.text, one.id, process=process, accepting=accepting, run_id=run_id)
    if last is None:
        last = next(iter(branches.latest(chat_session, 1)[0]), None)
    return _say(chat_session, last, said, run_id, process=process, accepting=accepting)


def _say(
    chat_session: ChatSession,
    last: Message | None,
    said: tuple[Said, ...],
    run_id: UUID,
    *,
    process: str,
    accepting: bool,
) -> AcceptedTurn:
    """Begin a turn behind a message, or another answer to it where nothing is said. Raises Conflict, StillStopping."""
    check_free(chat_session)
    known = () if said or last is None else (Said(last.role, last.text),)
    ends = _is_end(chat_session, last)
    place = Place(chat_session.pk, chat_session.stamp.revision, last, len(known), ends=ends)
    heard, found = Heard(chat_session.profile_id or 0, None, known or said), Found(place)
    user_id = chat_session.owner_id
    return continuing.say(user_id, heard, found, None, process=process, accepting=accepting, run_id=run_id)


def _is_end(chat_session: ChatSession, last: Message | None) -> bool:
    """Tell whether nothing was said behind a message of the line that is shown."""
    if last is None:
        return True
    return branches.is_shown(chat_session, last) and not said_after(chat_session, last.position)


def _said(messages: Sequence[ThreadMessage]) -> tuple[tuple[Said, ...], dict[str, UUID]]:
    """Return what messages say, with ids of their own, and the client's strings for these."""
    said, names = [], {}
    for each in messages:
        if each.text.strip():
            names[each.id] = message_id = uuid.uuid4()
            said.append(Said(each.role, each.text, id=message_id))
    return tuple(said), names


def _check_asks(said: Sequence[Said]) -> None:
    if not said or said[-1].role != MessageRole.USER:
        raise WrongKind("The last message must be a user's, with a text.")


def _begun(asked: AcceptedTurn, *, is_exact: bool = True) -> ThreadRun:
    return ThreadRun(asked.turn.chat_session_id, asked.run_id, asked, is_exact)
