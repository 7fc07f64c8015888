"""Up to where the journal is complete: which ids no transaction under way can still bring a row below.

Ids are given out when rows are inserted, and rows are seen when their transactions commit. SQLite has one writer, so
both come in one order. On PostgreSQL a row may appear below one that was seen before, and whoever reads on from there
would never see it. Its transaction had a number of its own before it took that id (it moves the journal's head first),
and so before the newest row that we have read was committed. Hence the steps, in one transaction:

1. Read the newest id.
2. Take a transaction number. Who may still bring a row below that id has a lower one.
3. Where no lower one is under way, all is there up to that id. Else the two are kept as a mark, and once no
   transaction is under way that is older than the mark, all is there up to the mark's id.

A transaction that stays open for long, also one in another database of the same server, keeps events waiting; nothing
is lost by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from sessions_app.database import plain

_NEWEST = "SELECT coalesce(max(id), 0) FROM sessions_app_journalentry"
_OWN = "SELECT pg_current_xact_id()::text::bigint"
_OLDEST = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


@dataclass(frozen=True, slots=True)
class Mark:
    """The journal's newest id at a moment, and a transaction that began after that was read."""

    newest: int
    transaction: int


def complete(mark: Mark | None) -> tuple[int, Mark | None]:
    """Return up to which id the journal is complete, 0 where that is not known yet, and the mark to come back with.

    In a transaction that may write.
    """
    [(newest,)] = plain.rows(_NEWEST, [])
    if connection.vendor == "sqlite":
        return newest, None
    [(own,)] = plain.rows(_OWN, [])
    [(oldest,)] = plain.rows(_OLDEST, [])
    if oldest >= own:
        return newest, None
    if mark is None or oldest >= mark.transaction:
        return mark.newest if mark else 0, Mark(newest, own)
    return 0, mark
