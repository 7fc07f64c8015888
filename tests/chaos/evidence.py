"""What there is to judge a run by, all of it plain values: what was said, stored, asked of the provider, and seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.chaos.facts import Facts, Known
from tests.chaos.provider import Request
from tests.chaos.users import Doings
from tests.chaos.view import Shown
from tests.databases import Database


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A row of a turn; `told` is whether its own process ended it, so that the number of the last event is known."""

    run_id: str
    session_id: str
    message_id: str
    text: str
    status: str
    told: bool
    error_code: str
    started_at: datetime | None
    ended_at: datetime | None

    def __str__(self) -> str:
        times = (moment and moment.strftime("%H:%M:%S.%f")[:-3] for moment in (self.started_at, self.ended_at))
        how = f"{self.status} {self.error_code}".strip() + ("" if self.told else ", by another process")
        return f"{self.run_id} {self.text[:30].strip()}… {' - '.join(map(str, times))} {how}"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A row of a transcript; `parts` is JSON."""

    id: str
    session_id: str
    run_id: str | None
    position: int
    role: str
    text: str
    status: str
    parts: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A session in a tab (None: the tab takes it for deleted), and in a connection that has opened it just now.

    `heard` is what the tab was told of it.
    """

    tab: str
    session_id: str
    here: Shown | None
    fresh: Shown
    heard: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.here is not None and self.here.same(self.fresh)


@dataclass(slots=True)
class Evidence:
    """`turns` in the order in which they were asked for, `messages` by session and position.

    `heads` are the cursors of the users' newest facts; `facts` has (user, tab, what it has from facts).
    """

    doings: Doings
    turns: list[StoredTurn]
    messages: list[StoredMessage]
    prefixes: dict[str, str]
    counted: dict[str, int]
    requests: list[Request]
    seen: list[Seen] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    facts: list[tuple[str, str, Facts]] = field(default_factory=list)

    def known(self, user: str) -> Known:
        """What the database has of a user's sessions."""
        own = {session_id for session_id, owner in self.owners.items() if owner == user}
        known = Known({session_id: self.titles[session_id] for session_id in own})
        for message in self.messages:
            if message.session_id in own:
                known.messages.setdefault(message.session_id, set()).add(message.id)
        for turn in self.turns:
            if turn.session_id in own:
                known.turns.setdefault(turn.session_id, {})[turn.run_id] = turn.status
        return known

    def rows(self, session_id: str) -> list[StoredMessage]:
        """A session's messages."""
        return [message for message in self.messages if message.session_id == session_id]

    @property
    def by_text(self) -> dict[str, StoredTurn]:
        """The turns by what was said, which no two have in common."""
        return {turn.text: turn for turn in self.turns}


_TURNS = """
SELECT run_id::text, chat_session_id::text, message_id::text, text, status, last_seq IS NOT NULL, error_code,
       started_at, ended_at
FROM sessions_app_turn ORDER BY id
"""
_MESSAGES = """
SELECT m.public_id::text, m.chat_session_id::text, t.run_id::text, position, role, m.text, m.status, parts
FROM sessions_app_message m LEFT JOIN sessions_app_turn t ON t.id = m.turn_id
ORDER BY m.chat_session_id, position
"""
_SESSIONS = """
SELECT s.id::text, frozen_prefix, message_count, username, title FROM sessions_app_chatsession s
JOIN sessions_app_sessionstamp ON chat_session_id = s.id JOIN auth_user u ON u.id = s.owner_id
"""
_HEADS = "SELECT username, cursor FROM sessions_app_journalhead JOIN auth_user ON auth_user.id = owner_id"


def gather(database: Database, doings: Doings, requests: list[Request]) -> Evidence:
    """Read what is stored."""
    sessions = database.run(_SESSIONS)
    return Evidence(
        doings,
        [StoredTurn(*row) for row in database.run(_TURNS)],
        [StoredMessage(*row) for row in database.run(_MESSAGES)],
        {session_id: prefix for session_id, prefix, *_ in sessions},
        {session_id: count for session_id, _, count, *_ in sessions},
        list(requests),
        owners={session_id: owner for session_id, _, _, owner, _ in sessions},
        titles={session_id: title for session_id, *_, title in sessions},
        heads=dict(database.run(_HEADS)),
    )
