"""Write facts: noted while a transaction works, written as its last statements."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, Generic, ParamSpec, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Min, QuerySet

from sessions_app.database import plain
from sessions_app.models import FactName, JournalEntry, Webhook

P = ParamSpec("P")
R = TypeVar("R")

# Rows of a user that are over the number kept are removed when the cursor passes a multiple of this.
PRUNED_AT_ONCE = 500
_ADVANCE = """
INSERT INTO sessions_app_journalhead (owner_id, cursor) VALUES (%s, %s)
ON CONFLICT (owner_id) DO UPDATE SET cursor = sessions_app_journalhead.cursor + excluded.cursor
RETURNING cursor
"""
_INSERT = """
INSERT INTO sessions_app_journalentry (owner_id, cursor, name, session_id, subject) VALUES (%s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """How a turn ended, for those who watch its run: ``event`` is the last one, ``seq`` its number."""

    seq: int | None
    event: Any


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that has become true of a user's session, or of their memory: then ``session_id`` is None.

    ``cursor`` is its place in the user's journal, 0 until it is written. ``value`` is what clients are told: a shape or
    plain JSON, None of what has been deleted since. ``process`` is the owner of a turn that began, ``end`` how a turn
    ended.
    """

    owner_id: int
    name: FactName
    session_id: UUID | None
    subject: UUID | None = None
    value: Any = None
    process: str = ""
    end: TurnEnd | None = None
    cursor: int = 0


@dataclass(frozen=True, slots=True)
class Recorded(Generic[R]):
    """What a transaction returned, and the facts that it wrote."""

    result: R
    facts: list[Fact]


class _Noted(threading.local):
    """The facts of the transaction under way in this thread; None where nobody collects them."""

    facts: list[Fact] | None = None


_noted = _Noted()


def record(fact: Fact) -> None:
    """Write a fact: at the end of ``recording`` where one is under way, else at once."""
    if _noted.facts is None:
        _write([fact])
    else:
        _noted.facts.append(fact)


@contextmanager
def recording() -> Iterator[list[Fact]]:
    """Collect facts and write them at the end of the block, inside its transaction: the list has their cursors then."""
    facts: list[Fact] = []
    with transaction.atomic(savepoint=False):
        _noted.facts = facts
        try:
            yield facts
        finally:
            _noted.facts = None
        facts[:] = _write(facts)


def recorded(work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Recorded[R]:
    """Run the work of a transaction, and write the facts that it notes as the last thing before it commits."""
    with recording() as facts:
        result = work(*args, **kwargs)
    return Recorded(result, facts)


def _write(facts: list[Fact]) -> list[Fact]:
    """Give cursors to facts and store them, by user: heads are locked in one order. The order of each user's stays."""
    written: list[Fact] = []
    for owner_id, group in groupby(sorted(facts, key=attrgetter("owner_id")), attrgetter("owner_id")):
        own = list(group)
        [(last,)] = plain.rows(_ADVANCE, [owner_id, len(own)])
        own = [replace(fact, cursor=last - len(own) + number) for number, fact in enumerate(own, 1)]
        plain.each(_INSERT, [[owner_id, fact.cursor, fact.name, fact.session_id, fact.subject] for fact in own])
        _prune(owner_id, last - len(own), last)
        written += own
    return written


def _prune(owner_id: int, before: int, last: int) -> None:
    if last // PRUNED_AT_ONCE != before // PRUNED_AT_ONCE:
        oldest = last - settings.HERMES_JOURNAL_FACTS
        looked_at(JournalEntry.objects.filter(owner_id=owner_id, cursor__lte=oldest)).delete()


def looked_at(entries: QuerySet[JournalEntry]) -> QuerySet[JournalEntry]:
    """Return those of the rows that were looked at for every webhook: the others are still to be sent."""
    last: int | None = Webhook.objects.aggregate(last=Min("cursor"))["last"]
    return entries if last is None else entries.filter(pk__lte=last)
