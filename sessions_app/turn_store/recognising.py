"""Find the session that holds what a program has sent as a conversation: by a name, else by what was said.

Programs send the whole conversation with each request and know nothing of sessions. What was said is looked up by the
digests that are kept with the messages, an index: it costs the same however many sessions there are. Where a digest is
found, the texts are compared, because another program may have changed a row.

In this order:

1. *Continued*: the session that holds all but the last message (or the last results of tools), and nothing after it.
2. *Branched*: the one that holds the longest beginning, at least the user's first message with its answer. Of a session
   that was named, any beginning is enough.
3. Else a new one.

A session of another profile, another system prompt or other tools of the program's, or in which a turn runs or waits,
is not taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from uuid import UUID

from sessions_app.conversations import access, branches
from sessions_app.conversations.line_digests import Said, digests_of, prompt_digest
from sessions_app.conversations.said_rows import said_after, said_up_to, shared_beginning, trimmed
from sessions_app.database import plain
from sessions_app.errors import NotFound
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.prefix import FrozenPrefix, ToolSpec
from sessions_app.llm.tools.client_tools import digest_of
from sessions_app.models import ChatSession, Message, MessageRole, SessionName
from sessions_app.turn_store.alive import alive

# Sessions that hold the same, of which the newest are looked at.
_CANDIDATES = 50
# Each session is asked by its key: a join PostgreSQL may answer by reading all of the user (113 ms of 100,000).
_FIND = """
SELECT found.id FROM (
  SELECT id, chat_session_id FROM sessions_app_message
  WHERE owner_id = %s AND line_digest = %s ORDER BY id DESC LIMIT %s
) AS found
WHERE (
  SELECT chat_session.owner_id = %s AND chat_session.profile_id = %s AND chat_session.client_prompt = %s
    AND chat_session.client_tools = %s
  FROM sessions_app_chatsession AS chat_session WHERE chat_session.id = found.chat_session_id
)
ORDER BY found.id DESC
"""
# Those alone that nothing follows in their branch.
_FIND_ENDS = """
SELECT found.id FROM (
  SELECT id, chat_session_id, branch_id, position FROM sessions_app_message
  WHERE owner_id = %s AND line_digest = %s ORDER BY id DESC LIMIT %s
) AS found
WHERE (
  SELECT chat_session.owner_id = %s AND chat_session.profile_id = %s AND chat_session.client_prompt = %s
    AND chat_session.client_tools = %s
  FROM sessions_app_chatsession AS chat_session WHERE chat_session.id = found.chat_session_id
)
AND NOT EXISTS (
  SELECT 1 FROM sessions_app_message AS later
  WHERE later.branch_id = found.branch_id AND later.position > found.position AND later.kind = ''
  AND (later.role <> 'tool' OR later.line_digest IS NOT NULL)
)
ORDER BY found.id DESC
"""
_FIND_WITHIN = """
SELECT id FROM sessions_app_message WHERE owner_id = %s AND line_digest = %s AND chat_session_id = %s
ORDER BY id DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """A conversation as a program has sent it: ``said`` ends with a user's message, or with results of its tools.

    ``prompt`` is the system prompt that came with it, None where none did; ``name`` is what names its session, and
    ``tools`` are those that it has brought (``client_tools.collected``). ``temporary``: the session is to be deleted
    when the answer is out.
    """

    profile_id: int
    prompt: str | None
    said: tuple[Said, ...]
    name: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    temporary: bool = False

    @property
    def brought(self) -> int:
        """How many of the last things said are what a turn begins with: a user's message, or results of tools."""
        results = takewhile(lambda each: each.role == MessageRole.TOOL, reversed(self.said))
        return max(1, sum(1 for _ in results))

    @property
    def prompt_digest(self) -> str:
        """The digest of the prompt, as sessions have it."""
        return prompt_digest(self.prompt)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation goes on: behind ``message`` (None: at the beginning), the first ``count`` things said.

    ``ends`` tells whether nothing was said after it. All of that is so while the session has this ``revision``.
    """

    session_id: UUID
    revision: int
    message: Message | None
    count: int
    ends: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The place that was found, None for a new session; ``name`` is what that is to be called.

    ``origin`` is the message that the new session is a copy up to, None for one that begins afresh. ``calls`` are those
    of the program's tools that the answer at the place ends with. ``is_named``: it goes on in this place or nowhere.
    """

    place: Place | None = None
    name: str | None = None
    origin: Message | None = None
    calls: tuple[ToolCall, ...] = ()
    is_named: bool = False


def find(user_id: int, heard: Heard) -> Found:
    """Find where a conversation goes on."""
    if heard.temporary:
        return Found()
    search = _Search(user_id, heard)
    if heard.name is None:
        return Found(search.place())
    session_id = named(user_id, heard.name)
    if session_id is None:
        return Found(None, heard.name)
    return Found(search.place_within(session_id) or search.place())


def named(user_id: int, name: str) -> UUID | None:
    """Return the user's session with this id, or that a program has called so; None where there is none."""
    try:
        return access.chat_session(user_id, UUID(name)).pk
    except (NotFound, ValueError):
        pass
    rows = SessionName.objects.filter(owner=user_id, name=name, chat_session__owner=user_id)
    return rows.values_list("chat_session_id", flat=True).first()


class _Search:
    """The search for one conversation among a user's."""

    def __init__(self, user_id: int, heard: Heard) -> None:
        self._user_id = user_id
        self._heard = heard
        self._digests = digests_of(heard.prompt_digest, heard.said)
        self._tools = digest_of(heard.tools)

    def place(self) -> Place | None:
        """Return where it goes on, in whichever session."""
        least = _first_answer(self._heard.said)
        return self._place(least) if least else None

    def place_within(self, session_id: UUID) -> Place | None:
        """Return where it goes on in one session; None where that cannot take it."""
        try:
            chat_session = access.chat_session(self._user_id, session_id)
        except NotFound:
            return None  # deleted a moment ago, or of a profile that the caller's token is not for
        if not suits(chat_session, self._heard):
            return None
        if found := self._place(1, session_id):
            return found
        # Rows from before there were digests have none.
        message, count = shared_beginning(chat_session, trimmed(self._heard.said))
        ends = not said_after(chat_session, message.position if message else -1)
        return Place(session_id, chat_session.stamp.revision, message, count, ends)

    def _place(self, least: int, session_id: UUID | None = None) -> Place | None:
        before = len(self._digests) - self._heard.brought
        if before >= least:
            for place in self._places(before, session_id, _FIND_ENDS):
                if place.ends:
                    return place
        deepest = self._deepest(least, session_id)
        return next(self._places(deepest, session_id), None) if deepest else None

    def _deepest(self, least: int, session_id: UUID | None) -> int:
        """Return how much of it is held somewhere, 0 for none: who holds much holds every beginning of that."""
        low, high = least - 1, len(self._digests)
        while low < high:
            middle = (low + high + 1) // 2
            if self._rows(middle, session_id):
                low = middle
            else:
                high = middle - 1
        return low if low >= least else 0

    def _rows(self, count: int, session_id: UUID | None, sql: str = _FIND) -> list[int]:
        digest = self._digests[count - 1]
        if session_id is not None:
            found = plain.rows(_FIND_WITHIN, [self._user_id, digest, session_id, _CANDIDATES])
        else:
            suiting = [self._user_id, self._heard.profile_id, self._heard.prompt_digest, self._tools]
            found = plain.rows(sql, [self._user_id, digest, _CANDIDATES, *suiting])
        return [pk for (pk,) in found]

    def _places(self, count: int, session_id: UUID | None, sql: str = _FIND) -> Iterator[Place]:
        """Yield the places behind the first ``count`` things said, those of the newest messages first."""
        for pk in self._rows(count, session_id, sql):
            message = Message.objects.get(pk=pk)
            chat_session = access.chat_session(self._user_id, message.chat_session_id)
            said = trimmed(self._heard.said[:count])
            if suits(chat_session, self._heard) and said_up_to(chat_session, message) == said:
                ends = is_end(chat_session, message)
                yield Place(chat_session.pk, chat_session.stamp.revision, message, count, ends)


def suits(chat_session: ChatSession, heard: Heard) -> bool:
    """Tell whether a conversation can go on in a session now."""
    return is_alike(chat_session, heard) and not chat_session.temporary and not alive(chat_session)


def is_alike(chat_session: ChatSession, heard: Heard) -> bool:
    """Tell whether a session is answered as a conversation asks for: by this profile, with this prompt and tools."""
    if chat_session.profile_id != heard.profile_id or chat_session.client_prompt != heard.prompt_digest:
        return False
    if chat_session.client_tools != digest_of(heard.tools):
        return False
    return _has_prompt(chat_session, heard.prompt)


def _has_prompt(chat_session: ChatSession, prompt: str | None) -> bool:
    """Tell whether a session begins with a prompt, which another program may have replaced; with its own for None."""
    if prompt is None:
        return True
    try:
        return FrozenPrefix.from_json(chat_session.frozen_prefix).prompt.strip() == prompt.strip()
    except ValueError:
        return False


def _first_answer(said: Sequence[Said]) -> int:
    """Return how much makes a beginning: up to the answer to the user's first message; 0 where there is none."""
    asked = False
    for count, each in enumerate(said, start=1):
        if asked and each.role == MessageRole.ASSISTANT:
            return count
        asked = asked or each.role == MessageRole.USER
    return 0


def is_end(chat_session: ChatSession, message: Message) -> bool:
    """Tell whether nothing was said after a message, in its line as it goes on."""
    if not branches.is_shown(chat_session, message):
        chat_session.active_branch = branches.continuation(message)
    return not said_after(chat_session, message.position)
