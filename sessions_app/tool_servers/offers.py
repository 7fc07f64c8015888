"""Storing what a server lists, and which of it may be called. Plain functions for one database transaction each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sessions_app.llm.tools.client_tools import ToolDefinitionError, collected
from sessions_app.llm.tools.registry import OWN_NAMES
from sessions_app.models import AgentProfile, ToolServer, ToolServerTool, ToolStanding
from sessions_app.tool_servers.definitions import specs_of_profile
from sessions_app.tool_servers.listing import OfferedTool
from sessions_app.tool_servers.names import full_names


@transaction.atomic
def record(server: ToolServer, tools: Iterable[OfferedTool]) -> None:
    """Store what a server lists now. What new sessions are told of a tool that is switched on does not change."""
    listed, now = {tool.name: tool for tool in tools}, timezone.now()
    known = {tool.name: tool for tool in server.tools.select_for_update()}
    taken = ToolServerTool.objects.values_list("full_name", flat=True)
    named = full_names(server.name, listed.keys() - known.keys(), OWN_NAMES.union(taken))
    for name, offer in listed.items():
        tool = known.get(name) or ToolServerTool(server=server, name=name, full_name=named[name])
        _note(tool, offer, now)
    gone = [tool.pk for name, tool in known.items() if name not in listed]
    ToolServerTool.objects.filter(pk__in=gone).update(is_offered=False)
    ToolServer.objects.filter(pk=server.pk).update(listed_at=now)


def _note(tool: ToolServerTool, offer: OfferedTool, now: datetime) -> None:
    tool.problem, tool.is_offered, tool.listed_at = offer.problem, True, now
    tool.offered_description, tool.offered_parameters = offer.description, offer.parameters
    if tool.standing == ToolStanding.OFF:
        tool.take()
    tool.save()


@transaction.atomic
def switch(server: ToolServer, standings: Mapping[str, ToolStanding]) -> None:
    """Let these of a server's tools, by its own names, be called or asked for, and no others; each is taken as offered.

    Raises ToolDefinitionError where one cannot be used, or a profile would have more tools than are allowed.
    """
    for tool in server.tools.select_for_update():
        tool.standing = standings.get(tool.name, ToolStanding.OFF)
        if tool.standing != ToolStanding.OFF and tool.problem:
            raise ToolDefinitionError(f"The tool {tool.name} cannot be used: {tool.problem}", tool.name)
        tool.take()
        tool.decided_at = timezone.now()
        tool.save()
    for profile in server.profiles.all():
        check_fits(profile)


@transaction.atomic
def decide(server: ToolServer, standings: Mapping[int, ToolStanding]) -> None:
    """Set whether tools of a server, by key, may be called; what new sessions are told of them stays as it was taken.

    Raises ToolDefinitionError as `switch` does.
    """
    for tool in server.tools.select_for_update().filter(pk__in=standings):
        if standings[tool.pk] not in (ToolStanding.OFF, tool.standing) and tool.problem:
            raise ToolDefinitionError(f"The tool {tool.name} cannot be used: {tool.problem}", tool.name)
        tool.standing, tool.decided_at = standings[tool.pk], timezone.now()
        tool.save()
    for profile in server.profiles.all():
        check_fits(profile)


@transaction.atomic
def take(server: ToolServer, tools: Collection[int]) -> None:
    """Let new sessions be told what the server offers of these of its tools, by key. Raises as `decide` does."""
    for tool in server.tools.select_for_update().filter(pk__in=tools):
        tool.take()
        tool.decided_at = timezone.now()
        tool.save()
    for profile in server.profiles.all():
        check_fits(profile)


def check_fits(profile: AgentProfile) -> None:
    """Refuse more tools than a session may have. Raises ToolDefinitionError."""
    try:
        collected(specs_of_profile(profile))
    except ToolDefinitionError as error:
        raise ToolDefinitionError(f"The profile {profile.name} would have too much: {error.text}") from None
