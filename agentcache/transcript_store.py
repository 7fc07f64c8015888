"""Entries of the cache, and the store of the transcripts they hold, bounded by bytes.

One store serves the whole cache, as its bound does: the least recently used transcript goes first, of whichever agent.
A session that is in a turn keeps its transcript. Dropping one costs a read from the database and no prompt cache.

One order for all would be fair if all used alike. But who goes through a hundred long sessions, or lets a program do
it, has always used theirs last, and pushes everybody else's out. So an agent has a bound of its own, a part of the
whole, and makes room among its own sessions. It does so while there is room elsewhere, too: what a user's turns cost
does not depend on who else is there. The part has to be larger than one transcript gets, because a session that is
larger is read anew for each turn.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from agentcache.baseline import Baseline
from agentcache.statistics import Tally

A = TypeVar("A")
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Entry(Generic[A]):
    """An agent in the cache, or one that has left it (`cached` is False) and whose last turns still run.

    `used` is the clock's reading when its last turn ended; `turns` counts the leases per session, without zeros;
    `sessions` are those with a transcript in the store, in the order of their use, and `bytes` is the sum of these.
    Equal only to itself.
    """

    key: str
    signature: str
    agent: A
    used: float
    cached: bool = False
    turns: Counter[str] = field(default_factory=Counter)
    sessions: OrderedDict[str, None] = field(default_factory=OrderedDict)
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class HeldTranscript(Generic[T]):
    """A transcript in memory, the stamp it was stored under, and its size in bytes."""

    transcript: T
    baseline: Baseline
    size: int


class TranscriptStore(Generic[A, T]):
    """Transcripts of all cached entries, in the order of their use: at most `max_bytes`, and `max_agent_bytes` of each.

    More only while sessions in a turn need it. `bytes` is the sum of the sizes held.
    """

    def __init__(self, max_bytes: int, max_agent_bytes: int, tally: Tally) -> None:
        self.bytes = 0
        self._max_bytes = max_bytes
        self._max_agent_bytes = max_agent_bytes
        self._tally = tally
        self._held: OrderedDict[tuple[Entry[A], str], HeldTranscript[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, entry: Entry[A], session_id: str) -> HeldTranscript[T] | None:
        """Return what is held for a session, without counting as use."""
        return self._held.get((entry, session_id))

    def put(self, entry: Entry[A], session_id: str, held: HeldTranscript[T]) -> None:
        """Hold a session's transcript in the place of the one held before."""
        self.remove(entry, session_id)
        self._held[entry, session_id] = held
        entry.sessions[session_id] = None
        entry.bytes += held.size
        self.bytes += held.size
        self.trim(entry)

    def remove(self, entry: Entry[A], session_id: str) -> None:
        """Let go of a session's transcript, where one is held."""
        held = self._held.pop((entry, session_id), None)
        if held is not None:
            del entry.sessions[session_id]
            entry.bytes -= held.size
            self.bytes -= held.size

    def idle(self) -> list[str]:
        """Return the sessions whose transcripts are held and that are in no turn, the one used longest ago first."""
        return [session_id for entry, session_id in self._held if session_id not in entry.turns]

    def forget(self, session_ids: Collection[str]) -> None:
        """Let go of the transcripts of these sessions, but for those in a turn."""
        for entry, session_id in list(self._held):
            if session_id in session_ids and session_id not in entry.turns:
                self.remove(entry, session_id)

    def clear(self, entry: Entry[A]) -> None:
        """Let go of all transcripts of an entry."""
        for session_id in tuple(entry.sessions):
            self.remove(entry, session_id)

    def touch(self, entry: Entry[A], session_id: str) -> None:
        """Make a session's transcript, where one is held, the one used last."""
        if session_id in entry.sessions:
            entry.sessions.move_to_end(session_id)
            self._held.move_to_end((entry, session_id))

    def trim(self, entry: Entry[A]) -> None:
        """Drop transcripts of sessions that are not in a turn, used longest ago first: the entry's, then anybody's."""
        while entry.bytes > self._max_agent_bytes and self._drop_first((entry, one) for one in entry.sessions):
            pass
        while self.bytes > self._max_bytes and self._drop_first(self._held):
            pass

    def _drop_first(self, places: Iterable[tuple[Entry[A], str]]) -> bool:
        """Drop the first that is not in a turn; False where all are."""
        idle = next((place for place in places if place[1] not in place[0].turns), None)
        if idle is None:
            return False
        self.remove(*idle)
        self._tally["dropped"] += 1
        return True
