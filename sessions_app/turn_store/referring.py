"""Find the place that a program names: the end of an earlier response, or a conversation."""

from __future__ import annotations

from uuid import UUID

from sessions_app.conversations import access, branches
from sessions_app.errors import Conflict, NotFound
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
    if heard.temporary or not suits(chat_session, heard):
        return Found(origin=message)
    place = Place(chat_session.pk, chat_session.stamp.revision, message, 0, is_end(chat_session, message))
    return Found(place, origin=message)


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
    last = next(iter(branches.latest(chat_session, 1)[0]), None)
    return Found(Place(chat_session.pk, chat_session.stamp.revision, last, 0, ends=True), is_named=True)
