"""What an agent has seen of a session, and how that moves on after our own writes.

A *stamp* is the version of a stored transcript. A *baseline* is the stamp of the transcript that an agent holds in
memory. The invariant: a baseline that names a session says "the transcript held for this session is exactly what was
stored under this stamp". It can only be kept by the one who read the transcript, and only be moved by the one who
wrote: nobody sets it to a value that was merely read, for such a value may hold a foreign write.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stamp:
    """Version of a session's transcript, kept by the database.

    `message_count` is its number of rows. `revision` rises by one with every row that is added, changed or removed, in
    the same transaction, and never falls: so no two contents of one session ever have the same stamp.
    """

    message_count: int
    revision: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """The stamp of a transcript that an agent has seen, and the session it belongs to (None: not recorded)."""

    session_id: str | None
    stamp: Stamp


def rebaseline(baseline: Baseline | None, session_id: str, *, old: Stamp, new: Stamp) -> Baseline | None:
    """Return the baseline after our own write to `session_id`, which took its stamp from `old` to `new`.

    Both stamps are read in the transaction of the write, under the session's lock, `old` just before it and `new` just
    after: what lies between them is ours alone. The baseline moves only where it stands at `old`; where it does not,
    somebody else wrote in between, and it stays so that the next turn reads again. No baseline stays none, another
    session's is not ours to move. A baseline that does not move is returned itself, the same object.
    """
    if baseline is None or baseline.session_id not in (None, session_id) or baseline.stamp != old:
        return baseline
    return Baseline(session_id, new)
