"""The journal of each user: facts, in order and without gaps, written in the transaction that makes them true.

``recording`` writes them and ``reading`` reads them, with what they tell; ``foreign`` finds what other programs have
changed. Who is told, and when, is the business of ``sessions_app.realtime``: what gets lost there, the journal has.

Order. A transaction that writes facts locks the head of each of their users until it commits, so cursors are given out
in the order of the commits, and whoever reads a cursor can read all the facts before it. Locks are taken in one order:
sessions by id, then journal heads by user (``recorded`` locks them last); so no two transactions wait for each other.
"""

from sessions_app.journal.reading import Page, after, head, heads, prune, tell
from sessions_app.journal.recording import Fact, Recorded, TurnEnd, record, recorded, recording

__all__ = [
    "Fact",
    "Page",
    "Recorded",
    "TurnEnd",
    "after",
    "head",
    "heads",
    "prune",
    "record",
    "recorded",
    "recording",
    "tell",
]
