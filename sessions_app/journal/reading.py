"""Read facts, with what they tell: the rows that they are about, as they are now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from sessions_app.conversations import approvals, memory
from sessions_app.conversations.outcomes import message_shapes
from sessions_app.conversations.reach import profile, reached
from sessions_app.conversations.schemas import MessageShape, TranscriptShape, queued_shape
from sessions_app.conversations.session_schemas import session_shape
from sessions_app.conversations.turn_results import broken_off, ending_of, last_event, turn_shape
from sessions_app.journal.recording import Fact, TurnEnd, looked_at
from sessions_app.models import Approval, ChatSession, FactName, JournalEntry, JournalHead, Message, Turn

# Rows of the oldest that one step removes.
STEP_FACTS = 1_000
_MESSAGES = {FactName.MESSAGE_CREATED, FactName.MESSAGE_UPDATED}
_APPROVALS = {FactName.APPROVAL_WAITING, FactName.APPROVAL_DECIDED}
_TURNS = {FactName.TURN_QUEUED, FactName.TURN_WITHDRAWN, FactName.TURN_BEGAN, FactName.TURN_ENDED}


@dataclass(frozen=True, slots=True)
class Page:
    """Facts in order. ``reset``: what was asked for is no longer kept, or beyond the newest."""

    facts: list[Fact]
    cursor: int
    has_more: bool = False
    reset: bool = False


def head(owner_id: int) -> int:
    """Return the cursor of a user's newest fact, 0 where there is none."""
    return heads([owner_id]).get(owner_id, 0)


def heads(owner_ids: Collection[int]) -> dict[int, int]:
    """Return the cursors of these users' newest facts; users without any are left out."""
    return dict(JournalHead.objects.filter(pk__in=owner_ids).values_list("owner_id", "cursor"))


def after(owner_id: int, cursor: int, limit: int) -> Page:
    """Return the first ``limit`` facts after a cursor. On one snapshot, so that none is missing.

    Facts of a page have no gap between them, nor before them: where there is one, what was in it is not kept.
    """
    newest = head(owner_id)
    entries = JournalEntry.objects.filter(owner_id=owner_id, cursor__gt=cursor).order_by("cursor")
    found = [entry for expected, entry in enumerate(entries[:limit], cursor + 1) if entry.cursor == expected]
    last = cursor + len(found)
    if cursor > newest or (last == cursor and cursor < newest):
        return Page([], newest, reset=True)
    return Page(tell(owner_id, found), last, has_more=last < newest)


def prune() -> int:
    """Remove some of the facts that are older than HERMES_JOURNAL_DAYS, the oldest first; return how many."""
    old = looked_at(JournalEntry.objects.filter(created_at__lt=Now() - timedelta(days=settings.HERMES_JOURNAL_DAYS)))
    oldest = old.order_by("created_at", "pk").values_list("pk", flat=True)[:STEP_FACTS]
    return JournalEntry.objects.filter(pk__in=list(oldest)).delete()[0]


class _Rows:
    """The rows that some facts of one user are about."""

    def __init__(self, owner_id: int, entries: Iterable[JournalEntry]) -> None:
        sessions = {entry.session_id for entry in entries if entry.session_id}
        messages = {entry.subject for entry in entries if entry.subject and entry.name in _MESSAGES}
        runs = {entry.subject for entry in entries if entry.subject and entry.name in _TURNS}
        owned = ChatSession.objects.filter(owner_id=owner_id).select_related("stamp", "profile").defer("frozen_prefix")
        self.sessions = reached(owned).in_bulk(list(sessions))
        said = reached(Message.objects.filter(owner_id=owner_id, public_id__in=messages), "chat_session__profile")
        told = list(said) if messages else []
        shapes = message_shapes(told) if told else []
        self.messages: dict[UUID | None, MessageShape] = {shape.id: shape for shape in shapes}
        found = reached(Turn.objects.filter(owner_id=owner_id, run_id__in=runs), "chat_session__profile")
        turns = list(found) if runs else []
        self.turns: dict[UUID | None, Turn] = {turn.run_id: turn for turn in turns}
        asking = {session.pk for session in self.sessions.values() if session.asks_approval}
        ended = [turn.pk for turn in turns if turn.chat_session_id in asking]
        self.asked = approvals.asked_by(ended) if ended else {}
        asked = {entry.subject for entry in entries if entry.subject and entry.name in _APPROVALS}
        decided = Approval.objects.filter(owner_id=owner_id, public_id__in=asked).select_related("turn")
        reachable = reached(decided, "chat_session__profile")
        self.approvals = approvals.shapes_of(list(reachable)) if asked else {}

    def value_of(self, entry: JournalEntry) -> Any:
        """Return what a fact tells; None where its rows are gone, or not reached."""
        if entry.name == FactName.SESSION_DELETED:
            return str(entry.session_id)
        if entry.name in _MESSAGES:
            return self.messages.get(entry.subject)
        if entry.name in _TURNS:
            return self._turn_value(entry)
        if entry.name in _APPROVALS:
            return self.approvals.get(entry.subject) if entry.subject else None
        if entry.name == FactName.MEMORY_UPDATED:
            return memory.change_shape(entry.owner_id) if profile() is None else None
        session = self.sessions.get(entry.session_id)
        if session is None:
            return None
        if entry.name == FactName.TRANSCRIPT_CHANGED:
            return TranscriptShape(session_id=session.pk, revision=session.stamp.revision)
        return session_shape(session)

    def _turn_value(self, entry: JournalEntry) -> Any:
        turn = self.turns.get(entry.subject)
        if turn is None:
            return None
        waits = entry.name in (FactName.TURN_QUEUED, FactName.TURN_WITHDRAWN)
        return queued_shape(turn) if waits else turn_shape(turn)


def tell(owner_id: int, entries: list[JournalEntry]) -> list[Fact]:
    """Return what rows of a user's journal tell, as it is now."""
    rows = _Rows(owner_id, entries)
    return [_fact(entry, rows) for entry in entries]


def _fact(entry: JournalEntry, rows: _Rows) -> Fact:
    turn = rows.turns.get(entry.subject)
    return Fact(
        owner_id=entry.owner_id,
        name=FactName(entry.name),
        session_id=entry.session_id,
        subject=entry.subject,
        value=rows.value_of(entry),
        process=turn.process if turn else "",
        end=_end_of(turn, rows) if entry.name == FactName.TURN_ENDED else None,
        cursor=entry.cursor,
    )


def _end_of(turn: Turn | None, rows: _Rows) -> TurnEnd:
    if turn is None:
        return TurnEnd(None, broken_off())
    return TurnEnd(
        turn.last_seq, last_event(turn.chat_session_id, turn.run_id, ending_of(turn, rows.asked.get(turn.pk, ())))
    )
