"""What there is to judge a run by, all of it plain values: what was said, stored, asked of the provider, and seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.chaos.doings import Doings
from tests.chaos.facts import Facts, Known
from tests.chaos.provider import Request
from tests.chaos.view import Shown
from tests.databases import Database


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A row of a turn; `told` is whether its own process ended it, so that the number of the last event is known.

    `text` is what is asked in it: of a regeneration, the text of the message that is answered again.
    """

    run_id: str
    session_id: str
    message_id: str
    text: str
    status: str
    told: bool
    error_code: str
    started_at: datetime | None
    ended_at: datetime | None
    kind: str = "message"

    def __str__(self) -> str:
        times = (moment and moment.strftime("%H:%M:%S.%f")[:-3] for moment in (self.started_at, self.ended_at))
        how = f"{self.status} {self.error_code}".strip() + ("" if self.told else ", by another process")
        return f"{self.run_id} {self.text[:30].strip()}… {' - '.join(map(str, times))} {how}"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A row of a transcript, in one of its branches; `parts` is JSON."""

    id: str
    session_id: str
    run_id: str | None
    position: int
    role: str
    text: str
    status: str
    parts: str | None
    branch: str = ""


@dataclass(frozen=True, slots=True)
class StoredBranch:
    """A row of a branch: it goes on from its parent's line, from the position `fork` on."""

    id: str
    session_id: str
    parent: str | None
    fork: int


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


@dataclass(frozen=True, slots=True)
class StoredBudget:
    """What is `spent` and `reserved` of a user's budget, and what the ledger of the user's turns has, in tokens.

    Without a user: the budget that all share, and what all of theirs have spent.
    """

    user: str | None
    spent: int
    reserved: int
    counted: int


@dataclass(slots=True)
class Evidence:
    """`turns` in the order in which they were asked for, `messages` by session and position.

    `branches` are by id. `heads` are the cursors of the users' newest facts; `facts` has (user, tab, what it has from
    them).
    """

    doings: Doings
    turns: list[StoredTurn]
    messages: list[StoredMessage]
    prefixes: dict[str, str]
    counted: dict[str, int]
    requests: list[Request]
    branches: dict[str, StoredBranch]
    seen: list[Seen] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    budgets: list[StoredBudget] = field(default_factory=list)
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

    def line(self, branch: StoredBranch) -> list[StoredMessage]:
        """The messages of a branch, with those before its fork: what is shown while it is the active one."""
        own = sorted((m for m in self.messages if m.branch == branch.id), key=lambda message: message.position)
        if branch.parent is None:
            return own
        before = self.line(self.branches[branch.parent])
        return [m for m in before if m.position < branch.fork] + [m for m in own if m.position >= branch.fork]

    @property
    def by_text(self) -> dict[str, list[StoredTurn]]:
        """The turns by what was asked: of one text there are more than one where its answer was asked for again."""
        turns: dict[str, list[StoredTurn]] = {}
        for turn in self.turns:
            turns.setdefault(turn.text, []).append(turn)
        return turns


_TURNS = """
SELECT t.run_id::text, t.chat_session_id::text, t.message_id::text,
       CASE t.kind WHEN 'regeneration' THEN m.text ELSE t.text END,
       t.status, last_seq IS NOT NULL, error_code, started_at, ended_at, t.kind
FROM sessions_app_turn t LEFT JOIN sessions_app_message m ON m.public_id = t.message_id AND m.owner_id = t.owner_id
ORDER BY t.id
"""
_MESSAGES = """
SELECT m.public_id::text, m.chat_session_id::text, t.run_id::text, position, role, m.text, m.status, m.parts,
       branch_id::text
FROM sessions_app_message m LEFT JOIN sessions_app_turn t ON t.id = m.turn_id
ORDER BY m.chat_session_id, position
"""
_SESSIONS = """
SELECT s.id::text, frozen_prefix, message_count, username, title FROM sessions_app_chatsession s
JOIN sessions_app_sessionstamp ON chat_session_id = s.id JOIN auth_user u ON u.id = s.owner_id
"""
_BRANCHES = "SELECT id::text, chat_session_id::text, parent_id::text, fork_position FROM sessions_app_branch"
_HEADS = "SELECT username, cursor FROM sessions_app_journalhead JOIN auth_user ON auth_user.id = owner_id"
_BUDGETS = """
WITH counted AS (
  SELECT owner_id, sum(input_tokens + output_tokens + uncounted_tokens) AS tokens
  FROM sessions_app_turn GROUP BY owner_id
), told AS (
  SELECT budget.user_id, u.username, coalesce(sum(spent), 0)::bigint AS spent,
         coalesce(sum(reserved), 0)::bigint AS reserved, coalesce(max(tokens), 0)::bigint AS counted
  FROM sessions_app_budget budget LEFT JOIN auth_user u ON u.id = budget.user_id
  LEFT JOIN sessions_app_budgetperiod period ON period.budget_id = budget.id
  LEFT JOIN counted ON owner_id = budget.user_id GROUP BY budget.id, u.id
)
SELECT username, spent, reserved, CASE WHEN user_id IS NULL THEN (
  SELECT sum(spent)::bigint FROM told WHERE user_id IS NOT NULL
) ELSE counted END FROM told
"""


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
        {row[0]: StoredBranch(*row) for row in database.run(_BRANCHES)},
        owners={session_id: owner for session_id, _, _, owner, _ in sessions},
        titles={session_id: title for session_id, *_, title in sessions},
        heads=dict(database.run(_HEADS)),
        budgets=[StoredBudget(*row) for row in database.run(_BUDGETS)],
    )
