"""What there is to judge a run by, all of it plain values: what was said, stored, asked of the provider, and seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

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
    """`turns` in the order in which they were asked for, `messages` by session and position."""

    doings: Doings
    turns: list[StoredTurn]
    messages: list[StoredMessage]
    prefixes: dict[str, str]
    counted: dict[str, int]
    requests: list[Request]
    seen: list[Seen] = field(default_factory=list)

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
SELECT id::text, frozen_prefix, message_count FROM sessions_app_chatsession
JOIN sessions_app_sessionstamp ON chat_session_id = id
"""


def gather(database: Database, doings: Doings, requests: list[Request]) -> Evidence:
    """Read what is stored."""
    sessions = database.run(_SESSIONS)
    return Evidence(
        doings,
        [StoredTurn(*row) for row in database.run(_TURNS)],
        [StoredMessage(*row) for row in database.run(_MESSAGES)],
        {session_id: prefix for session_id, prefix, _ in sessions},
        {session_id: count for session_id, _, count in sessions},
        list(requests),
    )
