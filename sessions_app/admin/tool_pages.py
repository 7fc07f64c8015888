"""The page of a server's tools: which may be called, what the server offers that was not taken yet, and which sessions
keep an older definition.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from sessions_app.admin import applying, rights
from sessions_app.admin.listing import ListingAdmin
from sessions_app.admin.tool_differences import Piece, changed_lines, changed_words, lines_of
from sessions_app.admin.words import moment, number
from sessions_app.llm.tools.client_tools import ToolDefinitionError
from sessions_app.models import AgentProfile, ChatSession, ToolServer, ToolServerTool, ToolStanding
from sessions_app.tool_servers import offers
from sessions_app.tool_servers.trying import list_again

_AGAIN = "The tools have changed since this page was loaded, so nothing was done. Look at them once more."


@dataclass(frozen=True, slots=True)
class ShownTool:
    """A tool as a line of the page."""

    row: ToolServerTool
    arguments: list[str]

    @property
    def field(self) -> str:
        """The name of its field."""
        return f"standing-{self.row.pk}"

    @property
    def state(self) -> str:
        """What there is to know of it besides."""
        if not self.row.is_offered:
            return "Not offered any more"
        if self.row.problem:
            return f"Cannot be used: {self.row.problem}"
        if self.row.is_changed:
            return "Changed"
        return "New" if self.row.decided_at is None else ""


@dataclass(frozen=True, slots=True)
class ShownChange:
    """What a server offers of a tool that is not what new sessions are told."""

    row: ToolServerTool
    description: list[Piece]
    arguments: list[Piece]


@dataclass(frozen=True, slots=True)
class Behind:
    """A profile with sessions that began otherwise than it says now; where that can be applied, if the user may."""

    profile: AgentProfile
    sessions: int
    link: str


class ToolPages(ListingAdmin):
    """Tool servers with a page of their tools."""

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that page's among them."""
        view = self.admin_site.admin_view(self.tools_view)
        return [path("<path:object_id>/tools/", view, name="sessions_app_toolserver_tools"), *super().get_urls()]

    def tools_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the server's tools, or do what one of the buttons says."""
        server: ToolServer | None = self.get_object(request, object_id)
        if not self.has_view_permission(request, server):
            raise PermissionDenied
        if server is None:
            raise Http404("There is no such tool server.")
        if request.method != "POST":
            return TemplateResponse(request, "admin/sessions_app/toolserver/tools.html", self._shown(request, server))
        if not self.has_change_permission(request, server):
            raise PermissionDenied
        self._act(request, server)
        return HttpResponseRedirect(request.path)

    def _act(self, request: HttpRequest, server: ToolServer) -> None:
        action, _, key = request.POST.get("action", "").partition(":")
        if action == "list":
            self._list(request, server)
        elif request.POST.get("seen") != _digest(_tools(server)):
            self.message_user(request, _AGAIN, messages.WARNING)
        elif action == "take":
            self._take(request, server, key)
        elif action == "save":
            self._save(request, server)

    def _list(self, request: HttpRequest, server: ToolServer) -> None:
        tried = list_again(int(request.user.pk or 0), server)
        if tried.asks_users:
            connect = format_html(
                ' Each user gives it an authorisation. <a href="{}">Give yours</a>, and list the tools again.',
                reverse("tool_servers"),
            )
            self.message_user(request, format_html("{}{}", tried.failure, connect), messages.WARNING)
        elif tried.failure:
            self.message_user(request, tried.failure, messages.ERROR)
        else:
            self.message_user(request, f"It offers {_count(len(tried.tools), 'tool')}.", messages.SUCCESS)
            self.log_change(request, server, "Listed its tools.")

    def _take(self, request: HttpRequest, server: ToolServer, key: str) -> None:
        changed = [tool for tool in _tools(server) if tool.is_changed and key in ("", str(tool.pk))]
        try:
            offers.take(server, [tool.pk for tool in changed])
        except ToolDefinitionError as error:
            self.message_user(request, error.text, messages.ERROR)
            return
        names = ", ".join(tool.name for tool in changed)
        if names:
            self.message_user(request, f"New sessions are told what is offered now of {names}.", messages.SUCCESS)
            self.log_change(request, server, f"Took the changed definitions of {names}.")

    def _save(self, request: HttpRequest, server: ToolServer) -> None:
        chosen = _chosen(request, _tools(server))
        before = {tool.pk: tool for tool in _tools(server)}
        try:
            offers.decide(server, chosen)
        except ToolDefinitionError as error:
            self.message_user(request, error.text, messages.ERROR)
            return
        changed = [f"{before[pk].name}: {word}" for pk, word in chosen.items() if before[pk].standing != word]
        self.message_user(request, "The tools were saved.", messages.SUCCESS)
        if changed:
            self.log_change(request, server, f"Set {', '.join(changed)}.")

    def _shown(self, request: HttpRequest, server: ToolServer) -> dict[str, Any]:
        tools = _tools(server)
        return {
            **self.admin_site.each_context(request),
            "title": f"Tools of {server}",
            "opts": self.opts,
            "server": server,
            "listed": moment(server.listed_at),
            "failed": moment(server.failed_at),
            "tools": [ShownTool(tool, lines_of(tool.parameters)) for tool in tools],
            "changes": [_change(tool) for tool in tools if tool.is_changed],
            "behind": _behind(request, server),
            "standings": ToolStanding.choices,
            "seen": _digest(tools),
            "may_change": self.has_change_permission(request, server),
        }


def _tools(server: ToolServer) -> list[ToolServerTool]:
    return list(server.tools.order_by("name"))


def _digest(tools: list[ToolServerTool]) -> str:
    """Return what says whether a page shows the tools as they are: nobody takes what they have not seen."""
    digest = hashlib.sha256()
    for tool in tools:
        shown = (tool.pk, tool.standing, tool.description, tool.parameters, tool.problem)
        digest.update(repr((*shown, tool.offered_description, tool.offered_parameters)).encode())
    return digest.hexdigest()


def _change(tool: ToolServerTool) -> ShownChange:
    return ShownChange(
        tool,
        changed_words(tool.description, tool.offered_description),
        changed_lines(tool.parameters, tool.offered_parameters),
    )


def _chosen(request: HttpRequest, tools: list[ToolServerTool]) -> dict[int, ToolStanding]:
    """Return what the form says of each tool; what it says of all goes before, but for those that cannot be used."""
    found = {}
    for tool in tools:
        word = request.POST.get(f"standing-{tool.pk}", tool.standing)
        if (every := request.POST.get("all")) and not tool.problem:
            word = every
        found[tool.pk] = ToolStanding(word) if word in ToolStanding.values else ToolStanding(tool.standing)
    return found


def _behind(request: HttpRequest, server: ToolServer) -> list[Behind]:
    """Return which profiles have sessions that keep an older prefix, for who may see that."""
    if not (rights.may_view(request, "chatsession") and rights.may_see_prompts(request)):
        return []
    found = []
    for profile in server.profiles.order_by("name"):
        link = reverse("admin:sessions_app_agentprofile_apply", args=[profile.pk])
        sessions = applying.behind(ChatSession.objects.all(), [profile]).count()
        found.append(Behind(profile, sessions, link if applying.may_apply(request) else ""))
    return [behind for behind in found if behind.sessions]


def _count(count: int, name: str) -> str:
    return f"{number(count)} {name}{'' if count == 1 else 's'}"
