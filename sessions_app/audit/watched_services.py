"""What is watched of what there is to talk to, and of where what was said goes: profiles, tools, webhooks, links."""

from __future__ import annotations

from collections.abc import Collection

from sessions_app.audit.actions import Action, Object, ObjectKind
from sessions_app.audit.details import Details, days_until, name_of
from sessions_app.audit.watching import Watched, WatchedPasses, WatchedSet
from sessions_app.models import AgentProfile, Share, ToolServer, ToolServerTool, ToolStanding, Webhook

_PROFILE = Action.PROFILE_CREATED, Action.PROFILE_CHANGED, Action.PROFILE_DELETED
_SERVER = Action.TOOL_SERVER_CREATED, Action.TOOL_SERVER_CHANGED, Action.TOOL_SERVER_DELETED
_TOOL = None, Action.TOOL_SERVER_CHANGED, None
_WEBHOOK = Action.WEBHOOK_CREATED, Action.WEBHOOK_CHANGED, Action.WEBHOOK_DELETED
_SHARE = Action.SHARE_MADE, None, Action.SHARE_REVOKED
# What processes note.
_OF_PROFILES = ("created_at", "updated_at", "learnt_context", "learnt_model")
_OF_SERVERS = ("created_at", "updated_at", "listed_at", "failed_at", "failure")
_OF_TOOLS = ("offered_description", "offered_parameters", "problem", "is_offered", "listed_at", "decided_at")
_OF_WEBHOOKS = ("created_at", "cursor", "failing_since", "stopped", "stopped_at")
_ENABLED = {"enabled": "enabled"}


class WatchedTools(Watched):
    """Tools of tool servers: what an operator decides on them, and not what a server lists."""

    def object(self, instance: ToolServerTool) -> Object:
        """Return its server."""
        return Object(ObjectKind.TOOL_SERVER, instance.server_id)

    def changes(self, instance: ToolServerTool, fields: Collection[str]) -> None:
        """Leave out new definitions of a tool that is off: they come with a listing."""
        if "standing" in fields or instance.standing != ToolStanding.OFF:
            super().changes(instance, fields)


def models() -> list[Watched]:
    """Return the models."""
    return [
        Watched(AgentProfile, ObjectKind.PROFILE, *_PROFILE, ignored=_OF_PROFILES),
        Watched(ToolServer, ObjectKind.TOOL_SERVER, *_SERVER, ignored=_OF_SERVERS, told=_ENABLED),
        WatchedTools(
            *(ToolServerTool, ObjectKind.TOOL_SERVER, *_TOOL),
            ignored=_OF_TOOLS,
            told={"standing": "standing"},
            describe=lambda tool: {"tool": name_of(tool.full_name)},
        ),
        Watched(Webhook, ObjectKind.WEBHOOK, *_WEBHOOK, ignored=_OF_WEBHOOKS, told=_ENABLED),
        WatchedPasses(Share, ObjectKind.SHARE, *_SHARE, told={"audience": "audience"}, describe=_share),
    ]


def sets() -> list[WatchedSet]:
    """Return the many-to-many fields."""
    groups, profiles = ("groups_added", "groups_removed"), ("profiles_added", "profiles_removed")
    return [
        WatchedSet(AgentProfile, "groups", ObjectKind.PROFILE, Action.PROFILE_CHANGED, *groups),
        WatchedSet(ToolServer, "groups", ObjectKind.TOOL_SERVER, Action.TOOL_SERVER_CHANGED, *groups),
        WatchedSet(ToolServer, "profiles", ObjectKind.TOOL_SERVER, Action.TOOL_SERVER_CHANGED, *profiles),
        WatchedSet(Webhook, "groups", ObjectKind.WEBHOOK, Action.WEBHOOK_CHANGED, *groups),
    ]


def _share(share: Share) -> Details:
    return {"user": share.owner_id, "session": share.chat_session_id, "days": days_until(share.expires_at)}
