"""Facts as the tests of the journal write and read them, and transactions that run at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from sessions_app import journal
from sessions_app.journal import Fact, Recorded
from sessions_app.models import FactName, JournalEntry
from sessions_app.session_store import chats
from tests.processes import PATIENCE

# More than any test writes.
ALL = 100_000
# Connections that PostgreSQL's pool has for sure.
POOLED = 4


def a_fact(owner_id: int, session_id: UUID | None = None) -> Fact:
    """A fact about a session that need not be there."""
    return Fact(owner_id, FactName.SESSION_UPDATED, session_id or uuid4())


def write(*facts: Fact) -> list[Fact]:
    """Write facts in one transaction; returns them with their cursors."""

    def note() -> None:
        for fact in facts:
            journal.record(fact)

    return journal.recorded(note).facts


def create(user_id: int, title: str = "") -> UUID:
    """Create a session, as the runner does."""
    created: Recorded[Any] = journal.recorded(chats.create, user_id, title)
    session_id: UUID = created.result.id
    return session_id


def cursors(user_id: int) -> list[int]:
    """The cursors of all facts of a user that are kept."""
    return list(JournalEntry.objects.filter(owner_id=user_id).order_by("cursor").values_list("cursor", flat=True))


def told(user_id: int, cursor: int = 0) -> list[tuple[str, Any]]:
    """Name and value of a user's facts after a cursor."""
    return [(fact.name.value, fact.value) for fact in journal.after(user_id, cursor, ALL).facts]


def names(user_id: int, cursor: int = 0) -> list[str]:
    """The names of a user's facts after a cursor."""
    return [name for name, _ in told(user_id, cursor)]


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run each in a thread of its own, all beginning together; returns what they return, or raises what one raises."""
    together = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            if len(works) <= POOLED:
                connection.ensure_connection()
            together.wait(PATIENCE)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return [future.result() for future in [threads.submit(run, work) for work in works]]
