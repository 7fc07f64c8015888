"""What groups may, in admin: each feature with its groups; and which profiles and tool servers are for groups, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from sessions_app.admin import rights
from sessions_app.admin.closed import ClosedAdmin, TickedChoices
from sessions_app.models import AgentProfile, FeatureRule, ToolServer

EVERYBODY = "Everybody"


class FeatureRuleAdmin(TickedChoices, ClosedAdmin):
    """The features: a row each, to which nobody adds any. Who may use one is all that there is to change."""

    list_display = ("__str__", "who")
    sortable_by = ()
    ordering = ("feature",)
    actions = None
    fields = ("groups",)
    change_list_template = "admin/sessions_app/featurerule/change_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The features are the site's."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The features are the site's."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeatureRule]:
        """Return a row of each feature."""
        FeatureRule.complete()
        rows: QuerySet[FeatureRule] = super().get_queryset(request)
        return rows.prefetch_related("groups")

    @admin.display(description="who may use it")
    def who(self, row: FeatureRule) -> str:
        """The groups, or everybody."""
        return names_of(row)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add what else is for groups, as far as the reader may see it."""
        shown = {"title": "What groups may", "limited": list(limited(request))}
        return super().changelist_view(request, {**shown, **(extra_context or {})})


@dataclass(frozen=True, slots=True)
class Limited:
    """A profile or tool server, and the groups that it is for."""

    kind: str
    name: str
    link: str
    groups: str


def limited(request: HttpRequest, group: Any = None) -> Iterator[Limited]:
    """Yield which profiles and tool servers are for groups (for ``group``), of those that the reader may view."""
    for model, kind in ((AgentProfile, "Agent profile"), (ToolServer, "Tool server")):
        name = str(model._meta.model_name)
        if not rights.may_view(request, name):
            continue
        rows = model._default_manager.filter(groups__isnull=False).distinct().order_by("name")
        for row in (rows.filter(groups=group) if group else rows).prefetch_related("groups"):
            link = reverse(f"admin:sessions_app_{name}_change", args=[row.pk])
            yield Limited(kind, row.name, link, names_of(row))


def names_of(row: Any) -> str:
    """Return the names of the groups that something is for."""
    return ", ".join(sorted(group.name for group in row.groups.all())) or EVERYBODY


def allowed_by(request: HttpRequest, group: Any) -> SafeString | str:
    """Say what is for a group and not for everybody, as far as the reader may see it."""
    found = []
    if rights.may_view(request, "featurerule"):
        rules = FeatureRule.objects.filter(groups=group).order_by("feature")
        found += [(reverse("admin:sessions_app_featurerule_change", args=[rule.pk]), str(rule)) for rule in rules]
    found += [(each.link, f"{each.kind} {each.name}") for each in limited(request, group)]
    return format_html_join(", ", '<a href="{}">{}</a>', found) or "Nothing that is not for everybody."
