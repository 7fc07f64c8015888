"""Tool servers in admin: where they are, for which profiles, and whether they answer. Their tools have a page each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_app.admin.closed import TickedChoices
from sessions_app.admin.features import names_of
from sessions_app.admin.tool_differences import lines_of
from sessions_app.admin.tool_pages import ToolPages
from sessions_app.admin.tool_server_form import TRIED, ToolServerForm, kept_headers
from sessions_app.admin.words import moment, number
from sessions_app.models import ToolServer, ToolStanding
from sessions_app.tool_servers.listing import OfferedTool
from sessions_app.tool_servers.trying import Tried, try_server

COMMAND = "What this host runs is set on the host itself, by manage.py mcp_server: who sets it acts as this site."
_UNDECIDED = Q(tools__decided_at=None) | ~Q(
    tools__description=F("tools__offered_description"), tools__parameters=F("tools__offered_parameters")
)


class ToolServerAdmin(TickedChoices, ToolPages):
    """Tool servers. A command is shown and explained, and changed on the host alone."""

    form = ToolServerForm
    list_display = ("name", "address", "profile_names", "group_names", "tool_counts", "undecided", "listed", "failed")
    list_display_links = ("name",)
    search_fields = ("name",)
    ordering = ("name",)
    actions = None
    readonly_fields = ("command_is", "headers_are", "users_are")
    fieldsets = (
        (None, {"fields": ("name", "url", "command_is", "enabled", "profiles", "groups")}),
        ("Credentials", {"fields": ("headers_are", "new_headers", "remove_headers", "users_are")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ToolServer]:
        """Return the servers with the numbers of their tools."""
        counts = {standing.value: Count("tools", Q(tools__standing=standing)) for standing in ToolStanding}
        waiting = Count("tools", _UNDECIDED & Q(tools__problem="", tools__is_offered=True))
        rows: QuerySet[ToolServer] = super().get_queryset(request)
        return rows.annotate(**counts, waiting=waiting).prefetch_related("profiles", "groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what is only typed, for who may only look, and what does not concern this server."""
        hidden = set() if obj is not None and obj.command else {"command_is"}
        hidden |= {"url", "new_headers", "headers_are", "users_are"} if obj is not None and obj.command else set()
        hidden |= set() if obj is not None and obj.sealed_headers else {"remove_headers"}
        hidden |= set() if obj is not None else {"headers_are", "users_are"}
        if not self.has_change_permission(request, obj):
            hidden |= {"new_headers", "remove_headers"}
        shown = [
            (name, {**options, "fields": tuple(field for field in options["fields"] if field not in hidden)})
            for name, options in self.fieldsets
        ]
        return [(name, options) for name, options in shown if options["fields"]]

    @admin.display(description="address")
    def address(self, row: ToolServer) -> str:
        """Where it is."""
        return row.url or f"Command: {row.command}"

    @admin.display(description="command")
    def command_is(self, row: ToolServer) -> SafeString:
        """What this host runs, and why nobody changes it here."""
        return format_html("<code>{}</code><br>{}", row.command, COMMAND)

    @admin.display(description="kept headers")
    def headers_are(self, row: ToolServer) -> str:
        """Which headers are kept; never their values."""
        return kept_headers(row)

    @admin.display(description="users")
    def users_are(self, row: ToolServer) -> SafeString | str:
        """Whether each user has to connect, and how many have."""
        if not row.asks_users:
            return "Their calls are not told apart: the server has not asked whose they are."
        connected = row.authorisations.count()
        return format_html(
            'Each user gives it an authorisation of their own, at <a href="{}">Tool servers</a> of their account. '
            "{} {}.",
            reverse("tool_servers"),
            number(connected),
            "has" if connected == 1 else "have",
        )

    @admin.display(description="profiles")
    def profile_names(self, row: ToolServer) -> str:
        """The profiles whose new sessions have its tools."""
        return ", ".join(sorted(profile.name for profile in row.profiles.all())) or "-"

    @admin.display(description="for")
    def group_names(self, row: ToolServer) -> str:
        """The groups for whose members its tools are called."""
        return names_of(row)

    @admin.display(description="tools")
    def tool_counts(self, row: Any) -> str:
        """How many of its tools may be called, are asked for, and are off."""
        if not row.enabled:
            return "Switched off"
        return f"{number(row.allowed)} allowed, {number(row.ask)} asked for, {number(row.off)} off"

    @admin.display(description="new or changed")
    def undecided(self, row: Any) -> SafeString | str:
        """How many of its tools wait for a decision; a link to them."""
        link = reverse("admin:sessions_app_toolserver_tools", args=[row.pk])
        return format_html('<a href="{}">{}</a>', link, number(row.waiting)) if row.waiting else "-"

    @admin.display(description="last listed")
    def listed(self, row: ToolServer) -> str:
        """When it last told its tools."""
        return moment(row.listed_at)

    @admin.display(description="last failure")
    def failed(self, row: ToolServer) -> str:
        """When it did not, and why; a dash where it has told them since."""
        return f"{moment(row.failed_at)}: {row.failure}" if row.failed_at else "-"

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that where a server is tried among them."""
        view = self.admin_site.admin_view(self.try_view)
        return [path("try/", view, name="sessions_app_toolserver_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Ask the server that a form names for its tools, and answer what it offers. Nothing is stored."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        server = self.get_object(request, request.POST.get("row", ""))
        if not self.has_change_permission(request, server):
            raise PermissionDenied
        tried = _tried(request, ToolServerForm(request.POST, instance=server))
        return JsonResponse({"text": _said(tried), "tools": [_told(tool) for tool in tried.tools]})

    def response_add(self, request: HttpRequest, obj: ToolServer, post_url_continue: str | None = None) -> HttpResponse:
        """Lead on to the tools, of which none is known yet."""
        response = super().response_add(request, obj, post_url_continue)
        if "_save" not in request.POST:
            return response
        return HttpResponseRedirect(reverse("admin:sessions_app_toolserver_tools", args=[obj.pk]))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Tell what goes with the server."""
        server: ToolServer = objs[0]  # there is no action on several
        counts = {"tool servers": 1, "tools": server.tools.count(), "authorisations": server.authorisations.count()}
        return [str(server)], counts, set(), []


def _tried(request: HttpRequest, form: ToolServerForm) -> Tried:
    """Try what a form says of where the server is; the rest of the form may be amiss."""
    for field in set(form.fields) - TRIED:
        del form.fields[field]
    if not form.is_valid():
        return Tried(failure=" ".join(str(text) for texts in form.errors.values() for text in texts))
    server = form.instance
    server.name = str(form.data.get("name", ""))[:32] or "that is tried"
    form.set_headers()
    if "url" in form.changed_data:
        server.asks_users = False
    return try_server(int(request.user.pk or 0), server)


def _said(tried: Tried) -> str:
    if tried.asks_users:
        return f"{tried.failure} Each user gives it an authorisation of their own. Save it, and list its tools."
    if tried.failure:
        return tried.failure
    return f"It answers, and offers {number(len(tried.tools))} tool{'' if len(tried.tools) == 1 else 's'}."


def _told(tool: OfferedTool) -> dict[str, object]:
    return {
        "name": tool.name,
        "description": tool.problem or tool.description,
        "arguments": [] if tool.problem else lines_of(tool.parameters),
    }
