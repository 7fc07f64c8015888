"""Find the place that a program names: the end of an earlier response, or a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from uuid import UUID

from sessions_app.conversations import access, branches, waiting_calls
from sessions_app.conversations.line_digests import Said
from sessions_app.errors import BadInput, Conflict, NotFound
from sessions_app.llm.content.codec import known
from sessions_app.llm.content.parts import ToolCall, tool_calls
from sessions_app.models import Message, MessageKind, MessageRole, Turn
from sessions_app.turn_store.alive import alive
from sessions_app.turn_store.recognising import Found, Heard, Place, is_end, suits


def find_behind(user_id: int, heard: Heard, *, run_id: UUID) -> Found:
    """Find where a conversation goes on from the answer of a run: behind it, or in a copy of what was said up to it.

    In a copy where its session cannot take it. Raises NotFound, Conflict (the run has not ended).
    """
    turn = access.response_turn(user_id, run_id)
    if turn.ended_at is None:
        raise Conflict("The response before has not ended yet.")
    message = last_said(turn)
    if message is None:
        raise NotFound
    chat_session = access.chat_session(user_id, turn.chat_session_id)
    calls = _calls_of(message)
    in_order(heard.said, calls)
    if heard.temporary or not suits(chat_session, heard):
        return Found(origin=message, calls=calls)
    place = Place(chat_session.pk, chat_session.stamp.revision, message, 0, is_end(chat_session, message))
    return Found(place, origin=message, calls=calls)


def last_said(turn: Turn) -> Message | None:
    """Return what a turn has said last: its answer, else the user's message; None where that was never stored."""
    own = turn.messages.filter(kind=MessageKind.SAID).exclude(role=MessageRole.TOOL).order_by("position")
    return own.last() or Message.objects.filter(owner=turn.owner_id, public_id=turn.message_id).first()


def find_in(user_id: int, heard: Heard, *, session_id: UUID) -> Found:
    """Find the end of a conversation that is named. Raises NotFound, Conflict (a turn runs or waits in it)."""
    chat_session = access.chat_session(user_id, session_id)
    if chat_session.temporary:
        raise NotFound
    if alive(chat_session):
        raise Conflict("An answer is on its way in this conversation. Wait for it, or stop it first.")
    waiting = waiting_calls.at_end(chat_session)
    calls = _calls_of(waiting.answer) if waiting else ()
    in_order(heard.said, calls)
    last = waiting.answer if waiting else next(iter(branches.latest(chat_session, 1)[0]), None)
    place = Place(chat_session.pk, chat_session.stamp.revision, last, 0, ends=True)
    return Found(place, calls=calls, is_named=True)


def _calls_of(answer: Message) -> tuple[ToolCall, ...]:
    return tuple(call for call in tool_calls(known(answer.parts)) if call.client)


def in_order(said: Sequence[Said], calls: Sequence[ToolCall]) -> list[Said]:
    """Return what was said, with results that it begins with in the order of the calls that they are of.

    Raises BadInput where a call has none or two, or a result no call; said without any goes on without them.
    """
    results = list(takewhile(lambda each: each.role == MessageRole.TOOL, said))
    if not results:
        return list(said)
    by_id = {each.call_id: each for each in results}
    if len(by_id) < len(results) or by_id.keys() != {call.id for call in calls}:
        wanted = ", ".join(call.id for call in calls) or "none"
        raise BadInput(f"Each call that waits needs one result, and no other is taken. Calls that wait: {wanted}.")
    return [*(by_id[call.id] for call in calls), *said[len(results) :]]
