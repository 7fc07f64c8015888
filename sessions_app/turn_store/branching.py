"""Let a conversation go on from an earlier place: ask for another answer, edit what was said, show another line.

Each in one transaction, under the session's lock, and only while no turn of the session runs or waits: so the line
that a turn has begun in stays the active one until it has ended. Nothing is lost by any of them. A regeneration and an
edit begin a branch at the place of what they are to stand beside, and a turn in it. Where nothing stands there yet
(an answer that never came), the line just goes on, and no branch is made.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sessions_app.conversations import access, attachments, branches, features
from sessions_app.conversations.access import ActingUser
from sessions_app.conversations.documents import text_with
from sessions_app.conversations.outcomes import message_shapes
from sessions_app.conversations.profiles import check_profile, check_takes
from sessions_app.conversations.profiles import find as find_profile
from sessions_app.conversations.schemas import MessageShape
from sessions_app.conversations.session_schemas import SessionShape, session_shape
from sessions_app.conversations.transcript import stamp_of
from sessions_app.conversations.windows import check_fits
from sessions_app.errors import Conflict, NotFound, WrongKind
from sessions_app.llm.content.codec import decode, encode, known
from sessions_app.llm.content.parts import Summary
from sessions_app.models import ChatSession, Feature, Message, MessageClaim, MessageKind, MessageRole, Turn, TurnKind
from sessions_app.turn_store.admitting import admit, bytes_of
from sessions_app.turn_store.alive import check_free
from sessions_app.turn_store.beginning import Forked, begin, enqueue, tell_selected
from sessions_app.turn_store.message_ids import AcceptedTurn, claim_of, repeated

# That are made before one answer.
_MOST_SUMMARIES = 10


@dataclass(frozen=True, slots=True)
class BranchedTurn:
    """A turn that goes on from an earlier place, and its session as it is now."""

    asked: AcceptedTurn
    chat_session: SessionShape


def regenerate(
    user_id: int,
    session_id: UUID,
    message_id: UUID | None,
    profile_id: int | None,
    *,
    process: str,
    accepting: bool,
) -> BranchedTurn:
    """Ask for another answer in the place of one; without ``message_id`` to the last user's message of the line.

    With ``profile_id`` that profile's model answers, this once.

    Raises NotFound, WrongKind (no answer), Conflict (nothing was said, another line, a turn is alive), TooMany,
    StillStopping.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    answer = _own(chat_session, message_id) if message_id else None
    if answer is not None and answer.role != MessageRole.ASSISTANT:
        raise WrongKind("Only an answer can be asked for again.")
    check_free(chat_session)
    asked = _last_asked(chat_session, answer)
    turn = Turn(owner_id=user_id, chat_session=chat_session, kind=TurnKind.REGENERATION, message_id=asked.public_id)
    if profile_id is not None:
        turn.profile, turn.names_profile = find_profile(user_id, profile_id), True
    claim = claim_of(turn, claimed=turn.answer_id)
    user = access.require_user(user_id)
    place = behind_summaries(chat_session, asked, covers_it=False)
    return _turn_from(user, chat_session, turn, claim, place, process=process, accepting=accepting)


def edit(
    user_id: int,
    message_id: UUID,
    text: str,
    new_id: UUID | None,
    files: Sequence[UUID] | None = None,
    *,
    process: str,
    accepting: bool,
) -> BranchedTurn:
    """Say something in the place of one of the user's messages. ``new_id`` becomes the id of what is said.

    ``files`` are the ids of what it is said with; without them it keeps those of the message in whose place it stands.

    Raises NotFound, WrongKind (an answer), Forbidden (files that are new there, of who may send none), Conflict
    (another line, a turn is alive, the id is taken), TooMany, StillStopping.
    """
    chat_session = access.chat_session(user_id, access.message(user_id, message_id).chat_session_id, lock=True)
    turn = Turn(owner_id=user_id, chat_session=chat_session, kind=TurnKind.EDIT, text=text)
    turn.message_id = new_id or uuid.uuid4()
    claim = claim_of(turn, files=files or (), edited=message_id)
    user = access.require_user(user_id)
    if new_id and (before := repeated(claim)) is not None:
        return BranchedTurn(before, session_shape(chat_session))
    edited = _own(chat_session, message_id)
    if edited.role != MessageRole.USER or edited.kind != MessageKind.SAID:
        raise WrongKind("Only what you said yourself can be edited.")
    attached = attachments.find(user_id, _files_of(edited, files))
    turn.parts = encode(attachments.parts_of(attached))
    check_free(chat_session)
    _check_shown(chat_session, edited)
    place = branches.place_of(chat_session, edited)
    return _turn_from(user, chat_session, turn, claim, place, process=process, accepting=accepting)


def _files_of(edited: Message, files: Sequence[UUID] | None) -> Sequence[UUID]:
    """Return the ids of what is said in the place of a message. Raises Forbidden where it has files that are new there.

    What a message has already stays with it, also where its user may send no more.
    """
    kept = attachments.of_message(edited)
    if files is not None and not set(files) <= set(kept):
        features.require(edited.owner_id, Feature.FILES)
    return kept if files is None else files


def select(user_id: int, message_id: UUID, limit: int) -> tuple[SessionShape, list[MessageShape], bool]:
    """Show the line that a message is part of, as it goes on; return the session with its last messages.

    Raises NotFound, Conflict (a turn is alive), StillStopping.
    """
    chat_session = access.chat_session(user_id, access.message(user_id, message_id).chat_session_id, lock=True)
    message = _own(chat_session, message_id)
    if not branches.is_shown(chat_session, message):
        check_free(chat_session)
        branches.activate(chat_session, branches.continuation(message))
        tell_selected(chat_session)
    messages, has_more = branches.latest(chat_session, limit)
    return session_shape(chat_session), message_shapes(messages), has_more


def _told(turn: Turn) -> str:
    return text_with(turn.text, attachments.find(turn.owner_id, attachments.ids_in(turn.parts)))


def _own(chat_session: ChatSession, message_id: UUID) -> Message:
    """Return a message of the locked session. Raises NotFound."""
    message = access.message(chat_session.owner_id, message_id)
    if message.chat_session_id != chat_session.pk:
        raise NotFound
    return message


def _check_shown(chat_session: ChatSession, message: Message) -> None:
    if not branches.is_shown(chat_session, message):
        raise Conflict("This chat went on elsewhere.", revision=chat_session.stamp.revision)


def _last_asked(chat_session: ChatSession, answer: Message | None) -> Message:
    """Return the user's message that an answer of the line answers; without one, the last of the line."""
    if answer is not None:
        _check_shown(chat_session, answer)
    asked = branches.last_of_role(chat_session, MessageRole.USER, before=answer.position if answer else None)
    if asked is None:
        raise Conflict("Nothing was said in this chat yet.", revision=chat_session.stamp.revision)
    return asked


def behind_summaries(chat_session: ChatSession, message: Message, *, covers_it: bool) -> int:
    """Return the position behind a message of the line and the summaries that follow it.

    ``covers_it``: whether they may stand for the message too, which is no place for an answer to it.
    """
    place, (rows, _) = message.position + 1, branches.following(chat_session, _MOST_SUMMARIES, after=message.position)
    furthest = message.position + 1 if covers_it else message.position
    for row in rows:
        covered = next((part.before for part in known(row.parts) if isinstance(part, Summary)), None)
        if row.kind != MessageKind.SUMMARY or covered is None or covered > furthest:
            break
        place = row.position + 1
    return place


def _turn_from(
    user: ActingUser,
    chat_session: ChatSession,
    turn: Turn,
    claim: MessageClaim,
    position: int,
    *,
    process: str,
    accepting: bool,
) -> BranchedTurn:
    """Begin a turn from a position of the line; where something stands there, the turn gets a branch of its own."""
    profile = turn.profile or chat_session.profile
    if turn.profile is None:
        check_profile(chat_session)
    check_takes(profile, decode(turn.parts))
    check_fits(chat_session, profile, told := _told(turn))
    claim.save(force_insert=True)
    admit(user, turn, turn.text, bytes_of(told))
    old = stamp_of(chat_session)
    forked = None
    if branches.next_position(chat_session) > position:
        if turn.kind == TurnKind.REGENERATION:
            turn.left_branch_id = chat_session.active_branch_id
        branches.start(chat_session, position)
        tell_selected(chat_session)
        forked = Forked(position, old)
    if accepting:
        begun = begin(turn, chat_session, process, user, forked)
        return BranchedTurn(AcceptedTurn(turn, begun.answered, begun), begun.chat_session)
    return BranchedTurn(AcceptedTurn(turn, enqueue(turn)), session_shape(chat_session))
