"""What new sessions of a profile are told of its tool servers' tools."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q, QuerySet

from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.models import AgentProfile, ToolServer, ToolServerTool, ToolStanding
from sessions_app.tool_servers.permitted import for_user


def specs_of_profile(profile: AgentProfile) -> list[ToolSpec]:
    """Return the definitions of tools that are switched on, as the operator has taken them; no server is asked."""
    return _specs(_told(profile))


def specs_for(user_id: int, profile: AgentProfile) -> list[ToolSpec]:
    """Return those of them that a user's new session is told: of servers that are for this user."""
    return _specs(_told(profile).filter(for_user(user_id, "server")))


def specs_by_owners(profile: AgentProfile, owner: str) -> Iterator[tuple[Q, list[ToolSpec]]]:
    """Yield what sessions of a profile are told, by which of its servers with groups are for their ``owner``.

    With each comes the condition on that field. Only the combinations that users have; most often that is one.
    """
    with_groups = list(profile.tool_servers.filter(enabled=True, groups__isnull=False).distinct())
    members = profile.tool_servers.filter(pk__in=[server.pk for server in with_groups], groups__user__isnull=False)
    found: dict[int, set[int]] = defaultdict(set)
    for user_id, server_id in members.values_list("groups__user", "pk"):
        found[user_id].add(server_id)
    for own in {frozenset(), *map(frozenset, found.values())}:
        owners = Q()
        for server in with_groups:
            is_for = Q(Exists(ToolServer.objects.filter(pk=server.pk, groups__user=OuterRef(owner))))
            owners &= is_for if server.pk in own else ~is_for
        others = {server.pk for server in with_groups} - own
        yield owners, _specs(_told(profile).exclude(server__in=others))


def _told(profile: AgentProfile) -> QuerySet[ToolServerTool]:
    rows = ToolServerTool.objects.filter(server__enabled=True, server__profiles=profile)
    return rows.exclude(standing=ToolStanding.OFF)


def _specs(rows: QuerySet[ToolServerTool]) -> list[ToolSpec]:
    told = rows.values_list("full_name", "description", "parameters")
    return [ToolSpec(name, description, parameters) for name, description, parameters in told]
