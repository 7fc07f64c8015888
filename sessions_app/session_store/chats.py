"""What can be done with sessions: create, list, rename, archive, pin, read, apply the profile, tell the cost.

Plain functions for one database hop each; they return shapes. Deleting a session and opening
one concern a run that may be under way, so they belong to ``sessions_app.turn_store``.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Self, TypedDict
from uuid import UUID

from sessions_app.conversations import access, branches, memory, profiles, spending, storage, transcript
from sessions_app.conversations.ledger_schemas import TotalsShape
from sessions_app.conversations.outcomes import message_shapes
from sessions_app.conversations.reach import reached
from sessions_app.conversations.schemas import MessageShape
from sessions_app.conversations.search.folding import fold
from sessions_app.conversations.session_schemas import ProfileShape, SessionShape, session_shape
from sessions_app.errors import Conflict, NotFound
from sessions_app.journal import Fact, record
from sessions_app.llm.cache_ledger.requests import frozen_digest, prompt_digest, tools_digest
from sessions_app.llm.content.prefix import FrozenPrefix, ToolSpec
from sessions_app.llm.tools.registry import site_tools
from sessions_app.llm.tools.remembering import REMEMBER
from sessions_app.models import AgentProfile, ChatSession, FactName, TitleSource, Turn, TurnStatus
from sessions_app.session_store import instructions
from sessions_app.session_store.inserting import insert_session
from sessions_app.tool_servers.definitions import specs_for

# SQLite stores what the database's clock says to the millisecond and what Python says to the
# microsecond, as texts of different length; a bound this much later is right for both.
_CLOCK_STEP = timedelta(milliseconds=1)
_CHUNK = 100
# Between these a cursor's time can be reckoned with.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DOOMSDAY = datetime(9999, 1, 1, tzinfo=UTC)


class Changes(TypedDict, total=False):
    """What session.update may change; what is absent stays."""

    title: str
    archived: bool
    pinned: bool
    memory: bool
    profile: int


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """The last session of a page, by what the list is ordered by: it may move or go meanwhile."""

    updated_at: datetime
    id: UUID

    def encode(self) -> str:
        """Return the cursor as clients see it: opaque text."""
        microseconds = (self.updated_at - _EPOCH) // timedelta(microseconds=1)
        return urlsafe_b64encode(json.dumps([microseconds, self.id.hex]).encode()).decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return the cursor that ``encode`` made. Raises ValueError for anything else."""
        try:
            microseconds, session_id = json.loads(urlsafe_b64decode(text))
            cursor = cls(_EPOCH + timedelta(microseconds=microseconds), UUID(hex=session_id))
        except (TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError("is no cursor") from error
        if cursor.encode() != text or not _EPOCH < cursor.updated_at < _DOOMSDAY:
            raise ValueError("is no cursor")
        return cursor


def create(user_id: int, title: str, profile_id: int | None = None, *, uses_memory: bool = True) -> SessionShape:
    """Create a session of a profile, else of the user's default, with an empty line.

    Its prefix is frozen now, with the user's instructions and, unless it is to do without, their memory.

    Raises TooMany, NotFound (a user who may no longer act, a profile that they may not choose).
    """
    # One request of a user waits for another: each could take the last place.
    access.require_user(user_id)
    profile = profiles.default(user_id) if profile_id is None else profiles.find(user_id, profile_id)
    storage.admit_session(user_id)
    prefix = new_prefix(user_id, profile, uses_memory=uses_memory)
    columns = {"title": title, "title_by": TitleSource.PERSON if title else TitleSource.WORDS, "memory": uses_memory}
    chat_session = insert_session(user_id, profile=profile, frozen_prefix=prefix.to_json(), **columns)
    return _tell(FactName.SESSION_CREATED, chat_session)


def _tell(name: FactName, chat_session: ChatSession) -> SessionShape:
    shape = session_shape(chat_session)
    record(Fact(chat_session.owner_id, name, chat_session.pk, value=shape))
    return shape


def listing(
    user_id: int, limit: int, *, after: Cursor | None, query: str, archived: bool
) -> tuple[list[SessionShape], Cursor | None]:
    """Return a page of the user's sessions, newest activity first, and where the next begins.

    ``query`` is looked for in the titles, compared as ``session.search`` compares texts: no database can, so it is
    done here.
    """
    with closing(_matching(user_id, after, fold(query), archived)) as matching:
        page = list(islice(matching, limit + 1))
    more = page[limit - 1] if len(page) > limit else None
    rows = ChatSession.objects.select_related("stamp", "profile").defer("frozen_prefix")
    found = rows.in_bulk([cursor.id for cursor in page[:limit]])
    return [session_shape(found[cursor.id]) for cursor in page[:limit]], more


def running(sessions: list[SessionShape]) -> list[UUID]:
    """Return the ids of those sessions in which a turn runs."""
    turns = Turn.objects.filter(chat_session__in=[session.id for session in sessions], status=TurnStatus.RUNNING)
    return list(turns.values_list("chat_session_id", flat=True))


def _matching(user_id: int, after: Cursor | None, folded: str, archived: bool) -> Generator[Cursor, None, None]:
    # "IN (0)" where Django would say "NOT archived", for which SQLite takes no index.
    rows = reached(ChatSession.objects.filter(owner_id=user_id, archived__in=[archived]))
    if after:
        rows = rows.filter(updated_at__lt=after.updated_at + _CLOCK_STEP)
    keys = rows.order_by("-updated_at", "-id").values_list("updated_at", "id", "title")
    for updated_at, session_id, title in keys.iterator(_CHUNK):
        cursor = Cursor(updated_at, session_id)
        if folded in fold(title) and (after is None or cursor < after):
            yield cursor


def update(user_id: int, session_id: UUID, changes: Changes) -> SessionShape:
    """Change what is given and no other column; it counts as no activity. Raises NotFound."""
    if not changes:
        return session_shape(access.chat_session(user_id, session_id))
    columns = {name: value for name, value in changes.items() if name != "profile"}
    if "title" in changes:
        columns["title_by"] = TitleSource.PERSON
    if "profile" in changes:
        _change_profile(user_id, session_id, changes["profile"])
    if columns:
        ChatSession.objects.filter(pk=session_id, owner_id=user_id).update(**columns)
    return _tell(FactName.SESSION_UPDATED, access.chat_session(user_id, session_id))


def _change_profile(user_id: int, session_id: UUID, profile_id: int) -> None:
    """Have another profile answer from the next turn on: its model, and its prompt and tools as they are now."""
    chat_session = access.chat_session(user_id, session_id, lock=True)
    profile = profiles.find(user_id, profile_id)
    ChatSession.objects.filter(pk=session_id).update(profile=profile)
    _freeze(chat_session, profile)


def new_prefix(user_id: int, profile: AgentProfile, *, uses_memory: bool) -> FrozenPrefix:
    """Return the prefix of a new session of a user: with their instructions and, where it uses that, their memory."""
    known = memory.read(user_id)
    tells = uses_memory and profile.memory
    return replace(
        prefix_of(profile, specs_for(user_id, profile), remembers=tells and known.enabled),
        instructions=instructions.read(user_id),
        memories=known.told if tells else (),
    )


def prefix_of(profile: AgentProfile, others: Iterable[ToolSpec], *, remembers: bool) -> FrozenPrefix:
    """Return the prefix that a session made of this profile now begins with; tools that are gone are left out.

    ``others``: the tools of tool servers, those that are for its user. ``remembers``: whether memory is on for its
    user, and in it. Without instructions and memories: those are of the session's user.
    """
    names = [name for name in profile.tools if name != REMEMBER or (remembers and profile.memory)]
    return site_tools().freeze(profile.system_prompt, names, others)


def present_prefix(chat_session: ChatSession, profile: AgentProfile) -> FrozenPrefix:
    """Return what a session would begin with by a profile as it is now: what it has of its user's own stays, and of its
    client's tools.

    But for memories that this profile's models are not to be told. The tool ``remember`` stays where memory is off by
    now: a switch is no reason to have a prompt read anew.
    """
    try:
        own = FrozenPrefix.from_json(chat_session.frozen_prefix)
    except ValueError:
        own = FrozenPrefix("", ())  # another program has written what is no prefix
    remembers = any(tool.name == REMEMBER for tool in own.tools)
    remembers = remembers or (chat_session.memory and memory.is_enabled(chat_session.owner_id))
    present = prefix_of(profile, specs_for(chat_session.owner_id, profile), remembers=remembers)
    memories = own.memories if profile.memory else ()
    return replace(present, instructions=own.instructions, memories=memories, client_tools=own.client_tools)


def ledger(user_id: int, session_id: UUID) -> tuple[TotalsShape, ProfileShape | None]:
    """Return what a session has cost, and whether its profile has changed under it; None where that was removed.

    Raises NotFound.
    """
    chat_session = access.chat_session(user_id, session_id)
    profile = chat_session.profile
    if profile is None:
        return spending.totals(session_id), None
    current = present_prefix(chat_session, profile).to_json() == chat_session.frozen_prefix
    return spending.totals(session_id), ProfileShape(name=profile.name, current=current)


def apply_profile(user_id: int, session_id: UUID) -> SessionShape:
    """Let a session begin with its profile as it is now, from its next turn on. Raises NotFound, Conflict (removed).

    Its prompt is read anew by the provider, once; the ledger says so. A turn that runs ends with what it began with.
    """
    chat_session = access.chat_session(user_id, session_id, lock=True)
    if chat_session.profile is None:
        raise Conflict(profiles.REMOVED, profile=None)
    refreeze(chat_session)
    return session_shape(access.chat_session(user_id, session_id))


def refreeze(chat_session: ChatSession) -> bool:
    """Put the profile's present prefix in the place of the session's; False where it is the same, or there is none.

    The caller holds the session's lock.
    """
    if chat_session.profile is None or not _freeze(chat_session, chat_session.profile):
        return False
    _tell(FactName.SESSION_UPDATED, chat_session)
    return True


def _freeze(chat_session: ChatSession, profile: AgentProfile) -> bool:
    prefix = present_prefix(chat_session, profile)
    if prefix.to_json() == chat_session.frozen_prefix:
        return False
    applied = frozen_digest(prompt_digest(prefix), tools_digest(prefix))
    ChatSession.objects.filter(pk=chat_session.pk).update(
        frozen_prefix=prefix.to_json(), applied_prefix=applied, client_prompt=""
    )
    transcript.mark_as_told(chat_session)
    return True


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive messages of a line, ascending, and whether there are older and newer ones."""

    messages: list[MessageShape]
    has_more: bool
    has_newer: bool


def messages_before(user_id: int, session_id: UUID, position: int, limit: int) -> Window:
    """Return the last messages below a position. Raises NotFound."""
    chat_session = access.chat_session(user_id, session_id)
    found, has_more = branches.latest(chat_session, limit, before=position)
    newer, _ = branches.following(chat_session, 1, after=position - 1)
    return Window(message_shapes(found), has_more, bool(newer))


def messages_after(user_id: int, session_id: UUID, position: int, limit: int) -> Window:
    """Return the first messages above a position. Raises NotFound."""
    chat_session = access.chat_session(user_id, session_id)
    found, has_newer = branches.following(chat_session, limit, after=position)
    older, _ = branches.latest(chat_session, 1, before=position + 1)
    return Window(message_shapes(found), bool(older), has_newer)


def messages_around(user_id: int, session_id: UUID, message_id: UUID, limit: int) -> Window:
    """Return messages before a message, itself, and those after it: half as many each, where there are so many.

    Raises NotFound, Conflict (it is not part of the line that is shown).
    """
    chat_session = access.chat_session(user_id, session_id)
    message = access.message(user_id, message_id)
    if message.chat_session_id != session_id:
        raise NotFound
    if not branches.is_shown(chat_session, message):
        raise Conflict("This message is not part of what is shown.", revision=chat_session.stamp.revision)
    older, has_more = branches.latest(chat_session, (limit + 1) // 2, before=message.position + 1)
    wanted = limit // 2
    newer, _ = branches.following(chat_session, wanted + 1, after=message.position)
    return Window(message_shapes([*older, *newer[:wanted]]), has_more, len(newer) > wanted)
