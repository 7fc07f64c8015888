"""Which chats the retention policies have deleted: those without activity for too long.

A user follows the policies of their groups, of several the shortest; the site's is for users whose groups have none. So
a group may keep its chats longer than the rest of the site, and who is in two groups keeps neither's longer than it
says.

Activity is what moves a chat up in its user's list: a message, or that the chat was brought here. Never due are pinned
chats, those of users under a legal hold, and temporary ones, which go with their answer. Time is the database's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Greatest, Now

from sessions_app.models import ChatSession, LegalHold, RetentionPolicy, StorageCount

CHATS_AT_ONCE = 500
"""Chats that one step judges."""


@dataclass(frozen=True, slots=True)
class Limits:
    """After how many days without activity a user's chats are deleted; None: never."""

    days: int | None
    archived_days: int | None

    def of(self, archived: bool) -> timedelta | None:
        """Return for how long a chat is kept, None for ever."""
        days = self.archived_days if archived else self.days
        return None if days is None else timedelta(days=days)


@dataclass(frozen=True, slots=True)
class DueChat:
    """A chat that is to be deleted."""

    owner_id: int
    session_id: UUID
    messages: int


@dataclass(frozen=True, slots=True)
class Place:
    """How far the chats were judged: they are judged from the one without activity for longest on."""

    updated_at: datetime
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Page:
    """The due ones of some chats; ``place`` is None where there are no more."""

    due: list[DueChat]
    place: Place | None


@dataclass(frozen=True, slots=True)
class Survey:
    """How many chats, with how many messages, are due, of how many that policies concern."""

    chats: int = 0
    messages: int = 0
    of: int = 0


def limits_of(user_ids: Collection[int]) -> dict[int, Limits]:
    """Return the limits of users (two queries); those whom no policy concerns are left out."""
    site = RetentionPolicy.objects.filter(group=None).first()
    own: dict[int, list[RetentionPolicy]] = {user_id: [] for user_id in user_ids}
    for policy in RetentionPolicy.objects.filter(group__user__in=user_ids).annotate(user_id=F("group__user")):
        own[policy.user_id].append(policy)
    of_site = [site] if site else []
    return {user_id: _shortest(found) for user_id, policies in own.items() if (found := policies or of_site)}


def _shortest(policies: list[RetentionPolicy]) -> Limits:
    days = [policy.days for policy in policies]
    archived = [policy.days if policy.archived_days is None else policy.archived_days for policy in policies]
    return Limits(_least(days), _least(archived))


def _least(days: Iterable[int | None]) -> int | None:
    return min((each for each in days if each is not None), default=None)


def page(after: Place | None = None) -> Page:
    """Judge the next chats, those without activity for longest first. On one snapshot."""
    shortest = _least(days for row in RetentionPolicy.objects.values_list("days", "archived_days") for days in row)
    if shortest is None:
        return Page([], None)
    # By the index of activity; a chat that was brought here since is left out below.
    rows = _candidates().filter(updated_at__lt=Now() - timedelta(days=shortest)).order_by("updated_at", "pk")
    if after is not None:
        later = Q(updated_at__gt=after.updated_at) | Q(updated_at=after.updated_at, pk__gt=after.session_id)
        rows = rows.filter(later, updated_at__gte=after.updated_at)
    found = list(rows[:CHATS_AT_ONCE])
    is_last = len(found) < CHATS_AT_ONCE
    return Page(_due_among(found), None if is_last else Place(found[-1].updated_at, found[-1].pk))


def is_due(session_id: UUID) -> bool:
    """Tell whether a policy has deleted a chat. Under its lock, it stays so."""
    return bool(_due_among(list(_candidates().filter(pk=session_id))))


def survey() -> Survey:
    """Return how much the policies would delete now."""
    found, place = Survey(of=concerned()), None
    while True:
        due = (this := page(place)).due
        messages = found.messages + sum(chat.messages for chat in due)
        found = replace(found, chats=found.chats + len(due), messages=messages)
        if (place := this.place) is None:
            return found


def concerned() -> int:
    """Return how many chats those users have whom policies concern."""
    counts = StorageCount.objects.all()
    if not RetentionPolicy.objects.filter(group=None).exists():
        members = get_user_model().objects.filter(groups__in=RetentionPolicy.objects.values("group"))
        counts = counts.filter(owner__in=members)
    return int(counts.aggregate(chats=Sum("sessions", default=0))["chats"])


def _candidates() -> QuerySet[ChatSession]:
    arrived = Greatest(F("updated_at"), Coalesce(F("imported_at"), F("updated_at")))
    held = Exists(LegalHold.objects.filter(owner=OuterRef("owner")))
    rows = ChatSession.objects.filter(~held, pinned=False, temporary=False)
    return rows.annotate(
        idle=ExpressionWrapper(Now() - arrived, output_field=DurationField()), messages_=F("stamp__message_count")
    ).only("owner_id", "archived", "updated_at")


def _due_among(rows: Collection[Any]) -> list[DueChat]:
    limits = limits_of({row.owner_id for row in rows}) if rows else {}
    due = []
    for row in rows:
        own = limits.get(row.owner_id)
        kept = own.of(row.archived) if own else None
        if kept is not None and row.idle > kept:
            due.append(DueChat(row.owner_id, row.pk, row.messages_))
    return due
