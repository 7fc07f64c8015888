"""Filters whose choices are known without asking the table for all the values it has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast, get_args

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from sessions_app.admin import rights
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.errors import Code
from sessions_app.models import AgentProfile, Turn, TurnStatus

FAILURES = (TurnStatus.FAILED, TurnStatus.INTERRUPTED)
FAILED_DAYS = 7


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
        """Return the object that the address names, if a row of the list belongs to it.

        Of others the name is not told: the list would not show it.
        """
        name, value = str(self.parameter_name), self.value()
        if not value:
            return []
        related = cast(type[Model], model_admin.model._meta.get_field(name).related_model)
        try:
            named = related._default_manager.filter(pk=value)
            rows = model_admin.get_queryset(request).filter(**{f"{name}__in": named}).order_by()[:1]
            return [(value, str(getattr(row, name))) for row in rows]
        except (ValueError, ValidationError):
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


class AskedFilter(admin.DateFieldListFilter):
    """Turns by when they were asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "asked for"


class ProfileFilter(FieldFilter):
    """Turns of the sessions of one profile."""

    title = "profile"
    parameter_name = "chat_session__profile"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the profiles by name."""
        return [(str(key), name) for key, name in AgentProfile.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the turns of the profile; raise IncorrectLookupParameters where there is no such profile."""
        if self.value() and self.value() not in {key for key, _ in self.lookup_choices}:
            raise IncorrectLookupParameters
        return super().queryset(request, queryset)


class ModelFilter(admin.SimpleListFilter):
    """Sessions by the model that answers in them now, which is their profile's."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the models of all profiles."""
        self._profiles: dict[str, list[int]] = {}
        for profile in AgentProfile.objects.only("model"):
            self._profiles.setdefault(profile.effective_model, []).append(profile.pk)
        return [(model, model) for model in sorted(self._profiles)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the sessions of the profiles with the model; raise IncorrectLookupParameters for any other model."""
        if not (model := self.value()):
            return queryset
        if model not in self._profiles:
            raise IncorrectLookupParameters
        return queryset.filter(profile__in=self._profiles[model])


class StateFilter(admin.SimpleListFilter):
    """Sessions by what their turns do, for who may view turns; for others there is no such filter."""

    title = "turns"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the states, each few turns of those that there are."""
        if not rights.may_view(request, "turn"):
            return []
        return [("alive", "Running or waiting now"), ("failed", f"Failed in the last {FAILED_DAYS} days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the sessions with such a turn, found from the turns: those are few, and an index has them.

        Those that run and those that wait have an index each; for both at once SQLite would read all turns.
        """
        failed = Q(status__in=FAILURES, created_at__gte=now() - timedelta(days=FAILED_DAYS))
        match self.value():
            case "alive":
                waiting = _with_turns(Q(status=TurnStatus.QUEUED))
                return queryset.filter(pk__in=_with_turns(Q(status=TurnStatus.RUNNING)).union(waiting, all=True))
            case "failed":
                return queryset.filter(pk__in=_with_turns(failed))
        return queryset


def _with_turns(condition: Q) -> QuerySet[Any, Any]:
    """Return the sessions, by primary key, of the turns for which a condition holds."""
    return Turn.objects.filter(condition).order_by().values("chat_session")


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
        return [(code, code.capitalize()) for code in (*get_args(Code), "interrupted", "internal")]


class MissFilter(FieldFilter):
    """Turns by why the provider's cache had less than expected."""

    NONE = "none"
    title = "miss of the cache"
    parameter_name = "miss"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the causes in words, and that there was none."""
        causes = [(cause.value, cause.sentence.capitalize()) for cause in Cause]
        return [*causes, (self.NONE, "None: found as expected")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the turns with the cause; with none are those that the ledger has and finds no fault with."""
        if self.value() == self.NONE:
            return queryset.filter(miss="").exclude(prefix_digest="")
        return super().queryset(request, queryset)
