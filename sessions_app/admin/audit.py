"""The audit in admin: who did what, to what, from where and when; to be looked through and taken along, never changed.

Rows have ids. Whose they are is looked up when a page is made, so that a deleted account has no name here any more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from sessions_app import audit
from sessions_app.admin import audit_search
from sessions_app.admin.audit_search import ActionFilter, ActorFilter, AddressFilter, ObjectFilter, TimeFilter
from sessions_app.admin.closed import ClosedList
from sessions_app.admin.listing import InspectionAdmin
from sessions_app.admin.words import moment, narrowed
from sessions_app.audit import Action, Object, ObjectKind, telling
from sessions_app.models import ActorKind, AuditEntry

if TYPE_CHECKING:

    class Named(AuditEntry):
        """A row with the names that its users have now, by their ids."""

        names: dict[int, str]


class AuditList(ClosedList):
    """The list, with the names of the users on its page: one query."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page's rows, then whose they are."""
        super().get_results(request)
        rows: list[Named] = list(self.result_list)
        names = _names_in(rows)
        for row in rows:
            row.names = names
        self.result_list = rows


class AuditEntryAdmin(InspectionAdmin):
    """The audit: seen, searched and exported by whoever may view it."""

    change_list_template = "admin/sessions_app/auditentry/change_list.html"
    list_display = ("number", "time", "actor", "action", "on", "from_address", "said")
    list_filter = (ActionFilter, ("recorded_at", TimeFilter), ActorFilter, ObjectFilter, AddressFilter)
    ordering = ("-number",)
    actions = None
    search_fields = ("number",)
    search_help_text = audit_search.HELP
    fields = ("number", "time", "actor", "token_id", "action", "on", "from_address", "said", "digest")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows whose its rows are."""
        return AuditList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look for what each word is: a name, an address, an action, an id, a day."""
        return audit_search.found(queryset, search_term), False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one: the database refuses it."""
        return False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a row with the names of its users."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.names = _names_in([row])
        return row

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that of the export among them."""
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="sessions_app_auditentry_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Give the rows that the list's address asks for as JSON lines, oldest first. That is recorded as well."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        audit.record(Action.AUDIT_EXPORTED, Object(ObjectKind.AUDIT))
        return StreamingHttpResponse(
            telling.streamed_lines(rows),
            content_type="application/jsonl",
            headers={"Content-Disposition": f'attachment; filename="audit-{now():%Y-%m-%d}.jsonl"'},
        )

    @admin.display(description="time")
    def time(self, row: AuditEntry) -> str:
        """When it was written, by the database's clock."""
        return moment(row.recorded_at)

    @admin.display(description="actor")
    def actor(self, row: Named) -> SafeString | str:
        """Who did it, as a link that narrows the list to them."""
        if row.actor_id is None:
            return f"Program: {row.actor_name}" if row.actor_kind == ActorKind.PROGRAM else "Not logged in"
        return narrowed("actor_id", row.actor_id, _name(row, row.actor_id))

    @admin.display(description="object")
    def on(self, row: Named) -> SafeString | str:
        """What it was done to, as a link that narrows the list to that."""
        if not row.object_id:
            return row.object_kind.replace("_", " ")
        name = f"{row.object_kind.replace('_', ' ')} {row.object_id}"
        if row.object_kind == ObjectKind.USER:
            name = _name(row, int(row.object_id))
        return narrowed("object", f"{row.object_kind}:{row.object_id}", name)

    @admin.display(description="address")
    def from_address(self, row: AuditEntry) -> SafeString | str:
        """Where they came from, as a link that narrows the list to that."""
        return narrowed("address", row.address, row.address) if row.address else "-"

    @admin.display(description="details")
    def said(self, row: Named) -> SafeString:
        """What else is known."""
        told = json.loads(row.details)
        pairs = [(key.replace("_", " "), _written(row, key, value)) for key, value in told.items()]
        return format_html("{}", "; ".join(f"{key}: {value}" for key, value in pairs) or "-")


def _written(row: Named, key: str, value: Any) -> str:
    """Return a detail as a person reads it."""
    match value:
        case list():
            return ", ".join(map(str, value))
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case int() if key == "user":
            return _name(row, value)
    return str(value)


def _names_in(rows: list[Named]) -> dict[int, str]:
    wanted = {row.actor_id for row in rows if row.actor_id is not None}
    wanted |= {int(row.object_id) for row in rows if row.object_kind == ObjectKind.USER and row.object_id}
    wanted |= {json.loads(row.details).get("user") for row in rows} - {None}
    users = get_user_model()._default_manager.filter(pk__in=wanted)
    return {user.pk: user.get_username() for user in users}


def _name(row: Named, user_id: int) -> str:
    return row.names.get(user_id) or f"user {user_id} (deleted)"
