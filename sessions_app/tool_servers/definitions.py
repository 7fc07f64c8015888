"""What new sessions of a profile are told of its tool servers' tools."""

from __future__ import annotations

from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.models import AgentProfile, ToolServerTool, ToolStanding


def specs_of_profile(profile: AgentProfile) -> list[ToolSpec]:
    """Return the definitions of tools that are switched on, as the operator has taken them; no server is asked."""
    rows = ToolServerTool.objects.filter(server__enabled=True, server__profiles=profile)
    told = rows.exclude(standing=ToolStanding.OFF).values_list("full_name", "description", "parameters")
    return [ToolSpec(name, description, parameters) for name, description, parameters in told]
