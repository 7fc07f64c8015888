"""Take in a conversation that a program has sent: what is new of it is stored, and its end begins a turn.

The end is a user's message, or results of the program's tools: then the turn goes on with the answer that called them.

One transaction, like any that begins a turn. It goes on where the conversation was found (``recognising``), as long as
nothing has changed there since; where that is in the midst of the session, a branch begins there.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sessions_app.conversations import (
    access,
    attachments,
    branches,
    storage,
    titles,
    transcript,
    waiting_calls,
)
from sessions_app.conversations.access import ActingUser
from sessions_app.conversations.documents import text_with
from sessions_app.conversations.line_digests import Said
from sessions_app.conversations.profiles import check_profile, check_takes
from sessions_app.conversations.said_rows import said_after, with_own_results
from sessions_app.conversations.session_schemas import session_shape
from sessions_app.conversations.transcript import NewMessage, stamp_of
from sessions_app.conversations.windows import check_fits
from sessions_app.errors import NotFound
from sessions_app.files.brought import Brought
from sessions_app.journal import Fact, record
from sessions_app.llm.content.codec import decode, encode
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.rows import tool_row
from sessions_app.models import ChatSession, FactName, Message, MessageRole, Turn, TurnKind
from sessions_app.turn_store import approving
from sessions_app.turn_store.admitting import admit, bytes_of
from sessions_app.turn_store.alive import alive
from sessions_app.turn_store.beginning import Forked, append_results, begin, enqueue, tell_selected
from sessions_app.turn_store.branching import behind_summaries
from sessions_app.turn_store.brought_sessions import Moved, freeze, made
from sessions_app.turn_store.message_ids import AcceptedTurn, claim_of
from sessions_app.turn_store.recognising import Found, Heard, Place, is_alike
from sessions_app.turn_store.referring import in_order
from sessions_app.turn_store.repeats import UNMARKED, Sent, sent_before
from sessions_app.turn_store.resuming import admit_resumption, go_on


def say(
    user_id: int,
    heard: Heard,
    found: Found,
    sampling: dict[str, Any] | None,
    sent: Sent = UNMARKED,
    *,
    process: str,
    accepting: bool,
    run_id: UUID | None = None,
) -> AcceptedTurn:
    """Store what is new of a conversation, and begin a turn with its end. ``run_id`` is free, or None.

    Raises Moved, NotKept, NotFound (the profile, or the user may no longer act), BadInput (results that are not of the
    calls at a named place), Conflict, TooLarge, TooMany.
    """
    chat_session = _held(user_id, found)
    user = access.require_user(user_id)
    if (before := sent_before(user_id, sent)) is not None:
        return before
    if chat_session is not None and found.place is not None:
        place = found.place
        _check(chat_session, heard, found, place)
    else:
        chat_session, place = made(user_id, heard, found, chat_session)
    said = in_order(heard.said, found.calls) if found.calls else heard.said
    end = len(said) - heard.brought
    files = Brought(user_id, said[place.count :])
    earlier = rows_of(said, place.count, end, found.calls, files=files)
    results = rows_of(said, max(place.count, end), None, found.calls, files=files)
    turn = _turn(chat_session, heard, place, sampling, files)
    turn.request, turn.request_digest = sent.request, sent.digest
    turn.run_id = run_id or turn.run_id
    _admit(user, turn, earlier, results, text_with(turn.text, files.of(said[-1]) if turn.parts else ()))
    forked, refused = _go_to(chat_session, place, turn, is_known=place.count == len(heard.said))
    if earlier:
        _store(chat_session, [*refused, *earlier], tell=found.place is not None)
        forked, refused = None, []  # of these rows no memory knows: the transcript is read
    if found.place is None:
        titles.name(chat_session, titles.first_words(heard.said))
        record(Fact(user_id, FactName.SESSION_CREATED, chat_session.pk, value=session_shape(chat_session)))
    user = access.require_user(user_id)
    if turn.kind == TurnKind.RESUMPTION:
        return go_on(turn, chat_session, user, results, forked, process=process, accepting=accepting)
    if not accepting:
        append_results(chat_session, refused)
        return AcceptedTurn(turn, enqueue(turn))
    begun = begin(turn, chat_session, process, user, forked, refused)
    return AcceptedTurn(turn, begun.answered, begun)


def rows_of(
    said: Sequence[Said], start: int, end: int | None = None, before: Sequence[ToolCall] = (), *, files: Brought
) -> list[NewMessage]:
    """Return the rows of some of what was said, from one place in it to before another.

    ``before`` are the calls of the answer before all of it.
    """
    names = {call.id: call.name for call in (*before, *(call for each in said for call in each.calls))}
    return [_row(each, names, files) for each in said[start:end]]


def _row(said: Said, names: dict[str, str], files: Brought) -> NewMessage:
    public_id = said.id or uuid.uuid4()
    if said.role == MessageRole.TOOL:
        row = tool_row(said.call_id, names.get(said.call_id, ""), said.text, client=True)
        return NewMessage(MessageRole.TOOL, row.text, row.parts, public_id=public_id)
    return NewMessage(said.role, said.text, (*said.calls, *files.parts(said)), public_id=public_id)


def _held(user_id: int, found: Found) -> ChatSession | None:
    """Return the session that was found, or that is to be copied from, locked."""
    held = found.place or found.origin
    if held is None:
        return None
    try:
        session_id = held.session_id if isinstance(held, Place) else held.chat_session_id
        return access.chat_session(user_id, session_id, lock=True)
    except NotFound:
        raise Moved from None


def _check(chat_session: ChatSession, heard: Heard, found: Found, place: Place) -> None:
    """Make sure that all is as it was found; have a session that was named answered as is asked for."""
    if chat_session.stamp.revision != place.revision or alive(chat_session):
        raise Moved
    if found.is_named and not is_alike(chat_session, heard):
        freeze(chat_session, heard)
    check_profile(chat_session)


def _turn(
    chat_session: ChatSession, heard: Heard, place: Place, sampling: dict[str, Any] | None, files: Brought
) -> Turn:
    """Return the turn, not stored yet: where all that was said is there already, it is one for another answer."""
    turn = Turn(owner_id=chat_session.owner_id, chat_session=chat_session, sampling=sampling)
    if heard.said and heard.said[-1].role == MessageRole.TOOL:
        turn.kind = TurnKind.RESUMPTION
    elif place.message is not None and place.count == len(heard.said):
        turn.kind, turn.message_id = TurnKind.REGENERATION, place.message.public_id
    else:
        turn.kind = TurnKind.MESSAGE if place.ends else TurnKind.EDIT
        turn.text, turn.message_id = heard.said[-1].text, heard.said[-1].id or uuid.uuid4()
        turn.parts = encode(files.parts(heard.said[-1]))
    return turn


def _admit(
    user: ActingUser, turn: Turn, earlier: Sequence[NewMessage], results: Sequence[NewMessage], told: str
) -> None:
    """Refuse what there is no room for; ``told`` is what the model is sent of what is said."""
    if turn.kind == TurnKind.RESUMPTION:
        admit_resumption(user, turn, [each.text for each in results])
        storage.admit_text(turn.owner_id, sum(len(each.text) for each in (*earlier, *results)))
        return
    again = turn.kind == TurnKind.REGENERATION
    claim_of(turn, claimed=turn.answer_id if again else None).save(force_insert=True)
    check_takes(turn.chat_session.profile, decode(turn.parts))
    check_fits(turn.chat_session, turn.chat_session.profile, told)
    admit(user, turn, turn.text, bytes_of(told, *(each.text for each in earlier)))
    storage.admit_text(turn.owner_id, len(turn.text) + sum(len(each.text) for each in earlier))


def _go_to(
    chat_session: ChatSession, place: Place, turn: Turn, *, is_known: bool
) -> tuple[Forked | None, list[NewMessage]]:
    """Have the session's line end where the conversation goes on; return where a branch was begun for that.

    No client is waited for there any more: results that the conversation does not have will not come. Where the user
    says something, no person is either: the results of the calls that are refused by that are returned too.
    """
    message, old = place.message, stamp_of(chat_session)
    is_shown = message is None or branches.is_shown(chat_session, message)
    if message is not None and not is_shown:
        branches.activate(chat_session, branches.continuation(message))
    brings_results = turn.kind == TurnKind.RESUMPTION and not is_known
    position = _position(chat_session, message, turn, brings_results=brings_results)
    forks = _goes_on(chat_session, position, brings_results=brings_results)
    if forks:
        _begin_branch(chat_session, position, turn, is_known=is_known)
    else:
        waiting_calls.abandon(chat_session)
    if forks or not is_shown:
        tell_selected(chat_session)
    says_something = turn.kind in (TurnKind.MESSAGE, TurnKind.EDIT)
    refused = approving.refuse_waiting(chat_session) if says_something and not forks else []
    return Forked(position, old) if forks and is_shown else None, refused


def _position(chat_session: ChatSession, message: Message | None, turn: Turn, *, brings_results: bool) -> int:
    """Return where the line goes on behind a message and what belongs to it.

    Results of the host's tools, and for an answer the summaries that made room for it. Results that are brought stand
    right behind their calls.
    """
    if message is None:
        return 0
    last = with_own_results(chat_session, message)
    if brings_results:
        return last.position + 1
    is_answer = turn.kind in (TurnKind.REGENERATION, TurnKind.RESUMPTION)
    return behind_summaries(chat_session, last, covers_it=not is_answer)


def _goes_on(chat_session: ChatSession, position: int, *, brings_results: bool) -> bool:
    """Tell whether the line has something from a position on that is not to be before what comes."""
    if brings_results:
        return branches.next_position(chat_session) > position
    return said_after(chat_session, position - 1)


def _begin_branch(chat_session: ChatSession, position: int, turn: Turn, *, is_known: bool) -> None:
    """Begin a branch; one for another answer alone (all that was said ``is_known``) says which it has left."""
    if turn.kind == TurnKind.REGENERATION or (turn.kind == TurnKind.RESUMPTION and is_known):
        turn.left_branch_id = chat_session.active_branch_id
    branches.start(chat_session, position)


def _store(chat_session: ChatSession, earlier: Sequence[NewMessage], *, tell: bool) -> None:
    attachments.note(transcript.append_history(chat_session, earlier).messages)
    if tell:
        tell_selected(chat_session)  # it is to be fetched again
