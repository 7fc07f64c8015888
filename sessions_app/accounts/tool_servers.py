"""Where a user connects to tool servers that want to know whose call it is, and ends that.

The library that speaks MCP takes most of a second to load, so the pages load it when somebody connects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sessions_app.authorisations.errors import AuthorisationError
from sessions_app.conversations import profiles
from sessions_app.models import Authorisation, ToolServer
from sessions_app.tool_servers.permitted import for_user

if TYPE_CHECKING:
    from sessions_app.authorisations.registering import Site


@never_cache
@require_safe
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """The tool servers that want the user's authorisation, and those that have it."""
    user = cast(User, request.user)
    held = {row.server_id: row for row in Authorisation.objects.filter(owner=user).select_related("server")}
    wanted = {server.pk: server for server in _wanting(user)}
    servers = wanted | {key: row.server for key, row in held.items()}
    shown = [
        {
            "server": server,
            "host": urlsplit(server.url).netloc,
            "kept": server.pk in held,
            "held": _held(held.get(server.pk), server),
        }
        for server in sorted(servers.values(), key=lambda server: server.name.casefold())
    ]
    return render(request, "registration/tool_servers.html", {"servers": shown, "wanted": set(wanted)})


@never_cache
@require_POST
@login_required
def connect(request: HttpRequest, pk: int) -> HttpResponse:
    """Find out who gives the authorisation, and say where the user is led to; a server not for them is not found."""
    from sessions_app.authorisations import connecting

    server = get_object_or_404(_wanting(cast(User, request.user)), pk=pk)
    key = str(request.session.session_key)
    try:
        address = connecting.begin(cast(User, request.user).pk, server, key, _site(request))
    except AuthorisationError as error:
        messages.error(request, f"{server} was not connected. {error}")
        return redirect("tool_servers")
    # A form of the site leads nowhere else (Content-Security-Policy), so the user follows a link.
    shown = {"server": server, "address": address, "host": urlsplit(address).netloc}
    return render(request, "registration/connect_tool_server.html", shown)


@never_cache
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Where the authorisation server leads the user back to. The address is left at once: it has a code."""
    from sessions_app.authorisations import connecting

    if not request.user.is_authenticated:
        return redirect("tool_servers")
    try:
        server = connecting.finish(request.user.pk, str(request.session.session_key), request.GET.dict())
    except AuthorisationError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"You are connected to {server}.")
    return redirect("tool_servers")


@require_POST
@login_required
def disconnect(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget the user's authorisation; where there is none, nothing is found."""
    from sessions_app.authorisations import connecting

    user = cast(User, request.user)
    server = get_object_or_404(ToolServer.objects.filter(authorisations__owner=user), pk=pk)
    if connecting.disconnect(user.pk, server):
        messages.success(request, f"You are no longer connected to {server}, and it has ended the authorisation.")
    else:
        messages.success(request, f"You are no longer connected to {server}. It was not told: end it there, too.")
    return redirect("tool_servers")


@require_safe
def client_document(request: HttpRequest) -> HttpResponse:
    """What an authorisation server reads to learn who this site is."""
    return JsonResponse(_site(request).describe())


def _site(request: HttpRequest) -> Site:
    from sessions_app.authorisations.registering import Site

    return Site(
        redirect_uri=request.build_absolute_uri(reverse("tool_server_callback")),
        document=request.build_absolute_uri(reverse("tool_server_client")),
    )


def _wanting(user: User) -> QuerySet[ToolServer]:
    """The servers that want to know who calls: those for the user, of their profiles; and all for who lists tools."""
    wanting = ToolServer.objects.filter(asks_users=True, enabled=True, url__gt="")
    if user.is_staff and user.has_perm("sessions_app.change_toolserver"):
        return wanting
    return wanting.filter(for_user(user.pk, "pk"), profiles__in=profiles.choosable(user.pk)).distinct()


def _held(row: Authorisation | None, server: ToolServer) -> Authorisation | None:
    """The authorisation, if it is for the address that the server has now."""
    return row if row and row.url == server.url else None
