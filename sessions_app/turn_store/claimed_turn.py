"""What a process that has claimed a turn is handed over to run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from agentcache import Stamp
from sessions_app.conversations import pauses, profiles, sent_rows
from sessions_app.conversations.outcomes import message_shapes
from sessions_app.conversations.schemas import MessageShape, message_shape, unborn_message_shape
from sessions_app.conversations.session_schemas import SessionShape, session_shape
from sessions_app.conversations.windows import window
from sessions_app.database.users import shut_out
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.content.rows import Row
from sessions_app.llm.endpoint import Endpoint
from sessions_app.llm.live_model import chooses_retention
from sessions_app.models import AgentProfile, ChatSession, Message, Turn, TurnKind
from sessions_app.models.sealed import UnreadableSecret

# A stamp that no session has.
UNSEEN = Stamp(-1, -1)

# What ``profile_of`` says, of a turn and its chat_session.
PROFILE = "COALESCE(turn.profile_id, CASE WHEN NOT turn.names_profile THEN chat_session.profile_id END)"
"""SQL: the key of the profile of a turn, null where it was removed."""
PROFILE_DENIED = shut_out("sessions_app_agentprofile_groups", "agentprofile_id", PROFILE, "turn.owner_id")
"""SQL: whether the profile of a turn is for groups that its user is not in, for ``of_users``."""


@dataclass(frozen=True, slots=True)
class ClaimedTurn:
    """A turn that this process has just claimed, with its user's message stored.

    ``old`` and ``new`` are the stamps before and after all that was changed for this turn: where another line was
    begun for it, ``cut`` is the position from which the old one's rows are no longer part of the transcript.
    ``rows`` are those that it has stored, as the transcript in memory takes them in; a compaction has no message and no
    row. ``model``, ``endpoint`` and ``prefix`` (canonical JSON) are what the session is answered with, ``profile_id``
    whose they are: no model and None where the profile was removed. ``sees_images``: whether the model takes pictures.
    ``refused`` says why no model may be asked, empty where one may. ``window`` is what the model's window holds, in
    tokens, None where nobody knows. ``last`` is the
    session's latest request to a provider, and ``applied`` the digest of a prefix that was applied to it: the ledger's.
    ``user_pauses`` are those of the user's earlier sessions, for the first request to a provider that wants to know.
    ``asks_approval``: a call has waited for a person in the session at some time.
    ``cursor`` is that of the fact that the turn began, 0 where this transaction is to write it.
    """

    turn: Turn
    claim: UUID
    message: MessageShape | None
    rows: tuple[Row, ...]
    cut: int | None
    chat_session: SessionShape
    old: Stamp
    new: Stamp
    model: str
    prefix: str
    last: RequestRecord | None
    applied: str
    endpoint: Endpoint | None
    window: int | None
    profile_id: int | None
    sees_images: bool
    user_pauses: tuple[float, ...] = ()
    refused: str = ""
    asks_approval: bool = False
    cursor: int = 0

    @property
    def answered(self) -> MessageShape:
        """What the request for the turn is answered with; of a compaction an empty message that nobody has said."""
        return self.message or unborn_message_shape(self.turn)

    @property
    def session_id(self) -> UUID:
        """The session that the turn belongs to."""
        return self.chat_session.id


def claimed_turn(
    turn: Turn,
    chat_session: ChatSession,
    message: Message | None,
    old: Stamp,
    new: Stamp,
    stored: Sequence[Message] = (),
) -> ClaimedTurn:
    """Return what running a turn needs that was claimed in this transaction, with all that it has ``stored``."""
    profile, endpoint, refused = profile_of(turn, chat_session), None, ""
    try:
        endpoint = profiles.endpoint_of(profile) if profile else None
    except UnreadableSecret:
        refused = profiles.UNREADABLE
    return ClaimedTurn(
        turn=turn,
        claim=cast(UUID, turn.claim),
        message=_shape_of(turn, message) if message else None,
        rows=tuple(map(sent_rows.row_of, stored)),
        cut=None,
        chat_session=session_shape(chat_session),
        old=old,
        new=new,
        model=profile.effective_model if profile else "",
        prefix=chat_session.frozen_prefix,
        last=RequestRecord.from_json(chat_session.last_request),
        applied=chat_session.applied_prefix,
        endpoint=endpoint,
        window=window(profile),
        profile_id=profile.pk if profile else None,
        sees_images=profile is None or profile.takes_images,
        user_pauses=_pauses_before(chat_session, profile.effective_model) if profile else (),
        refused=refused,
        asks_approval=chat_session.asks_approval,
    )


def profile_of(turn: Turn, chat_session: ChatSession) -> AgentProfile | None:
    """Return what answers a turn: the profile that was named for it, else its session's. None: it was removed."""
    return turn.profile or (None if turn.names_profile else chat_session.profile)


def refusal_of(turn: Turn, chat_session: ChatSession) -> str:
    """Return why a turn may not be answered with its profile; empty where it may."""
    profile = profile_of(turn, chat_session)
    if turn.names_profile and profile is None:
        return profiles.NAMED_REMOVED
    return profiles.refusal(turn.owner_id, profile)


def _shape_of(turn: Turn, message: Message) -> MessageShape:
    # Only an edited message stands beside others.
    return message_shapes([message])[0] if turn.kind == TurnKind.EDIT else message_shape(message)


def _pauses_before(chat_session: ChatSession, model: str) -> tuple[float, ...]:
    """Return what the first request of a session is to know; every later one has it in the session's record."""
    is_first = not chat_session.last_request and chooses_retention(model)
    return pauses.of_user(chat_session.owner_id) if is_first else ()
