"""Filters whose choices are known without asking the table for all the values it has."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest


class FieldFilter(admin.SimpleListFilter):
    """Rows whose field named ``parameter_name`` has the value chosen."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that have the value, or all."""
        value = self.value()
        return queryset.filter(**{str(self.parameter_name): value}) if value else queryset


class RelatedFilter(FieldFilter):
    """Rows of one related object, which a link names: among thousands nobody picks from a list.

    It stands beside the list only while it narrows it.
    """

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the object that the address names, if there is one."""
        value = self.value()
        if not value:
            return []
        related = cast(type[Model], model_admin.model._meta.get_field(self.parameter_name).related_model)
        try:
            return [(value, str(related._default_manager.get(pk=value)))]
        except (ObjectDoesNotExist, ValueError, ValidationError):
            return []


class OwnerFilter(RelatedFilter):
    """Rows of one user."""

    title = "user"
    parameter_name = "owner"


class SessionFilter(RelatedFilter):
    """Rows of one session."""

    title = "session"
    parameter_name = "chat_session"


class ActivityFilter(admin.DateFieldListFilter):
    """Rows by their last activity."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "last activity"


class GuardAgentFilter(FieldFilter):
    """Turns by what the guard decided on the agent."""

    title = "agent"
    parameter_name = "guard_agent"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the guard's two words."""
        return [("reused", "Reused"), ("built", "Built")]


class GuardTranscriptFilter(FieldFilter):
    """Turns by what the guard decided on the transcript in memory."""

    title = "transcript"
    parameter_name = "guard_transcript"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the guard's two words."""
        return [("kept", "Kept"), ("read", "Read again")]


class ErrorFilter(FieldFilter):
    """Turns by their error code."""

    title = "error"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the codes that a turn can end with."""
        return [(code, code.capitalize()) for code in ("provider", "timeout", "interrupted", "internal")]
