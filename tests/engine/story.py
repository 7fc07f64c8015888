"""What befalls a conversation: other sessions, other processes, other programs. Each turn with what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.databases import Database
from tests.engine.ideal import Body, key, request_of
from tests.engine.server import Count, Engine
from tests.many.tab import Tab

_LEDGER = """
SELECT input_tokens, cached_tokens, expected_tokens, miss FROM sessions_app_turn WHERE chat_session_id = %s
ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True)
class Line:
    """A turn's line in the ledger."""

    input: int
    cached: int
    expected: int
    miss: str


@dataclass(frozen=True)
class Told:
    """A turn: its session, its request as the ideal client would have sent it, what the engine and the ledger say."""

    chat: str
    body: Body
    count: Count
    line: Line


@dataclass
class Story:
    """The turns so far, in the order in which they were had."""

    database: Database
    engine: Engine
    turns: list[Told] = field(default_factory=list)

    def turn(self, tab: Tab, chat: str) -> None:
        """One turn, and what it was."""
        before = self.engine.count()
        begun = any(turn.chat == chat for turn in self.turns)
        # The first longer than system prompt and tools: else the engine takes sessions that begin alike for one.
        tab.turn(chat, f"{chat} {len(self.turns)}: " + "The sea is deep and old there. " * (2 if begun else 60))
        count = self.engine.count().since(before)
        [line] = self.database.run(_LEDGER, key(chat))
        self.turns.append(Told(chat, request_of(self.database, chat), count, Line(*line)))
