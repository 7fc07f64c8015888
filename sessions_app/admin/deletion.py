"""Deleting sessions from admin: one action, and a confirmation page that stays short.

Django's own would load every message to list it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet, Sum

from sessions_app.conversations import access
from sessions_app.errors import NotFound
from sessions_app.journal import recording
from sessions_app.models import Branch, ChatSession, LegalHold, SessionStamp, Turn
from sessions_app.turn_store import deleting

NAMES_SHOWN = 50


def names(rows: Iterable[object]) -> list[str]:
    """Return what the rows are called, the first fifty by name."""
    listed = [str(row) for row in rows]
    rest = len(listed) - NAMES_SHOWN
    return [*listed[:NAMES_SHOWN], f"… and {rest:,} more"] if rest > 0 else listed


def held(user_ids: Iterable[int]) -> list[str]:
    """Return, for a page that asks whether to delete, which of the users are under a legal hold."""
    users = LegalHold.objects.filter(owner__in=list(user_ids)).select_related("owner")
    return names(f"legal hold on {row.owner.get_username()}" for row in users)


def counts(sessions: QuerySet[ChatSession]) -> dict[str, int]:
    """Return how many rows of each kind go with the sessions."""
    stamps = SessionStamp.objects.filter(chat_session__in=sessions)
    return {
        "chat sessions": sessions.count(),
        "branches": Branch.objects.filter(chat_session__in=sessions).count(),
        "messages": stamps.aggregate(total=Sum("message_count", default=0))["total"],
        "turns": Turn.objects.filter(chat_session__in=sessions).count(),
    }


def erase(sessions: QuerySet[ChatSession]) -> None:
    """Delete the sessions with all their rows, in one transaction.

    By id, as every transaction takes them that takes several: so none deadlock.
    """
    with recording():
        for owner_id, session_id in sessions.order_by("pk").values_list("owner_id", "pk"):
            try:
                deleting.erase(access.chat_session(owner_id, session_id, lock=True))
            except NotFound:
                continue  # somebody else has just deleted it
