"""How rows of the audit are looked for: words, each the key of an index, and links that narrow the list."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_address
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from sessions_app.admin.filters import FieldFilter
from sessions_app.admin.words import as_uuid, users_named
from sessions_app.audit import Action

HELP = "Each word narrows: a user name (what they did), an address, an action, the id of an object, a day (2026-11-28)"
MOST_USERS = 50
_ID = re.compile(r"[0-9]{1,18}")


def found(rows: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Return the rows that all words of a search are about."""
    for word in term.split()[:8]:
        rows = rows.filter(_meant(word))
    return rows


def _meant(word: str) -> Q:
    if word in {action.value for action in Action}:
        return Q(action=word)
    if session_id := as_uuid(word):
        return Q(object_id=str(session_id))
    if _ID.fullmatch(word):
        return Q(object_id=word)
    if day := _day(word):
        return Q(recorded_at__gte=day[0], recorded_at__lt=day[1])
    try:
        return Q(address=str(ip_address(word)))
    except ValueError:
        return Q(actor_id__in=list(users_named(word).values_list("pk", flat=True)[:MOST_USERS]))


def _day(word: str) -> tuple[datetime, datetime] | None:
    """Return when a day begins and ends; None of a word that is no day."""
    try:
        begin = datetime.combine(date.fromisoformat(word), time.min, UTC)
        return begin, begin + timedelta(days=1)
    except (ValueError, OverflowError):
        return None


class ActionFilter(FieldFilter):
    """Rows of one action."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return all actions that there are."""
        return [(action.value, action.value) for action in sorted(Action)]


class TimeFilter(admin.DateFieldListFilter):
    """Rows by when they were written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "time"


class LinkedFilter(FieldFilter):
    """Rows with one value, which a link names. It stands beside the list only while it narrows it."""

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the value that the address names."""
        return [(value, value)] if (value := self.value()) else []


class ActorFilter(LinkedFilter):
    """What one user did."""

    title = "actor"
    parameter_name = "actor_id"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the user's rows; none of what is no id."""
        value = self.value()
        return queryset if not value else queryset.filter(actor_id=value) if _ID.fullmatch(value) else queryset.none()


class ObjectFilter(LinkedFilter):
    """What was done to one thing: its kind and its id."""

    title = "object"
    parameter_name = "object"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows about it."""
        kind, _, key = (self.value() or "").partition(":")
        return queryset.filter(object_id=key, object_kind=kind) if kind else queryset


class AddressFilter(LinkedFilter):
    """What came from one address."""

    title = "address"
    parameter_name = "address"
