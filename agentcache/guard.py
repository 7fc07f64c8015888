"""The guard: compares what an agent has seen of a session with what is stored now.

Two questions are kept apart. *May the entry be reused?* (`Verdict.stale`, the one that the seed's tests ask.) *May the
transcript in memory be trusted?* (`Verdict.trusted`.) An entry without a baseline, or with another session's, is not
stale, since nothing contradicts it; but nothing vouches for its transcript either, so it is not trusted.

An equal stamp is trusted only where the baseline names the session. A stamp is a version within one session: every
session that has had one exchange stands at the same one, so an unnamed baseline can be equal by chance, and to trust
it would be to answer one conversation from another. It costs one read to be sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from agentcache.baseline import Baseline, Stamp


class Missing(Enum):
    """Why there is no live stamp."""

    GONE = "session is gone"
    UNREADABLE = "stamp cannot be read"


class Kind(Enum):
    """What the guard found."""

    FIRST = "first"
    OTHER_SESSION = "other session"
    SAME = "same"
    UNNAMED = "unnamed"
    GREW = "grew"
    REWRITTEN = "rewritten"
    GONE = "gone"
    UNREADABLE = "unreadable"


_STALE = frozenset({Kind.GREW, Kind.REWRITTEN, Kind.GONE, Kind.UNREADABLE})
_UNANSWERABLE = frozenset({Kind.GONE, Kind.UNREADABLE})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard found, and a short sentence that says so to a person."""

    kind: Kind
    reason: str

    @property
    def stale(self) -> bool:
        """True where the baseline is contradicted by what is stored, or where that cannot be known."""
        return self.kind in _STALE

    @property
    def trusted(self) -> bool:
        """True where the transcript in memory is the stored one; else it is dropped and read again."""
        return self.kind is Kind.SAME

    @property
    def answerable(self) -> bool:
        """False where the turn has to fail: a session that cannot be read is never answered from memory."""
        return self.kind not in _UNANSWERABLE


def judge(baseline: Baseline | None, session_id: str, live: Stamp | Missing) -> Verdict:
    """Return the verdict on `baseline` for a turn of `session_id`, whose stamp in the database is `live`."""
    if isinstance(live, Missing):
        return Verdict(Kind[live.name], live.value)
    if baseline is None:
        return Verdict(Kind.FIRST, "first turn here")
    if baseline.session_id not in (None, session_id):
        return Verdict(Kind.OTHER_SESSION, "another session's baseline")
    if baseline.stamp == live:
        return _same(baseline)
    return _changed(baseline.stamp, live)


def _same(baseline: Baseline) -> Verdict:
    if baseline.session_id is None:
        return Verdict(Kind.UNNAMED, "same stamp, but of no named session")
    return Verdict(Kind.SAME, "same stamp")


def _changed(seen: Stamp, live: Stamp) -> Verdict:
    # Each change of a row raises the revision by one and the count by at most one: as many rows as revisions means
    # that rows were added and that nothing else happened.
    grown = live.message_count - seen.message_count
    if grown > 0 and live.revision - seen.revision == grown:
        return Verdict(Kind.GREW, f"grew by {grown} elsewhere")
    return Verdict(Kind.REWRITTEN, "rewritten elsewhere")
