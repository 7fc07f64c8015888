"""The models that are watched: who may what, and what there is to talk to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from sessions_app.audit.actions import Action, Object, ObjectKind
from sessions_app.audit.details import Details, name_of
from sessions_app.audit.recording import record
from sessions_app.audit.watching import Watched, WatchedSet
from sessions_app.models import (
    AgentProfile,
    ApiToken,
    Budget,
    DeletionRequest,
    FeatureRule,
    LegalHold,
    ProvisionedGroup,
    RetentionPolicy,
    Share,
    ToolServer,
    ToolServerTool,
    ToolStanding,
    Webhook,
)


class WatchedUsers(Watched):
    """Users. A new password is an action of its own; a hash that is made stronger at a login is none."""

    def changes(self, instance: Any, fields: Collection[str]) -> None:
        """Record a new password by itself. ``_password`` is how Django tells it from an old one that is hashed anew."""
        if "password" in fields and (instance._password is not None or not instance.has_usable_password()):
            record(Action.PASSWORD_CHANGED, self.object(instance))
        if others := set(fields) - {"password"}:
            super().changes(instance, others)


class WatchedPasses(Watched):
    """Tokens of the API, and links to chats. One that has expired is tidied away, not revoked."""

    def _record_deleted(self, instance: ApiToken | Share, **_: Any) -> None:
        if not instance.has_expired:
            super()._record_deleted(instance)


class WatchedTools(Watched):
    """Tools of tool servers: what an operator decides on them, and not what a server lists."""

    def object(self, instance: ToolServerTool) -> Object:
        """Return its server."""
        return Object(ObjectKind.TOOL_SERVER, instance.server_id)

    def changes(self, instance: ToolServerTool, fields: Collection[str]) -> None:
        """Leave out new definitions of a tool that is off: they come with a listing."""
        if "standing" in fields or instance.standing != ToolStanding.OFF:
            super().changes(instance, fields)


def watch() -> None:
    """Begin to record what is done to these models, for as long as the process lives."""
    for model in _models():
        model.connect()
    for field in _sets():
        field.connect()


def _models() -> list[Watched]:
    flags = {"is_active": "active", "is_staff": "staff", "is_superuser": "superuser"}
    users = WatchedUsers(
        get_user_model(),
        ObjectKind.USER,
        Action.USER_CREATED,
        Action.USER_CHANGED,
        Action.USER_DELETED,
        ignored=("last_login",),
        told=flags,
    )
    groups = Watched(Group, ObjectKind.GROUP, Action.GROUP_CREATED, Action.GROUP_CHANGED, Action.GROUP_DELETED)
    filled = Watched(
        ProvisionedGroup,
        ObjectKind.GROUP,
        Action.GROUP_HANDED_OVER,
        Action.GROUP_CHANGED,
        Action.GROUP_TAKEN_BACK,
        ignored=("created_at", "external_id"),
        told={"may_hold_rights": "may_hold_rights"},
    )
    profiles = Watched(
        AgentProfile,
        ObjectKind.PROFILE,
        Action.PROFILE_CREATED,
        Action.PROFILE_CHANGED,
        Action.PROFILE_DELETED,
        ignored=("created_at", "updated_at", "learnt_context", "learnt_model"),
    )
    servers = Watched(
        ToolServer,
        ObjectKind.TOOL_SERVER,
        Action.TOOL_SERVER_CREATED,
        Action.TOOL_SERVER_CHANGED,
        Action.TOOL_SERVER_DELETED,
        ignored=("created_at", "updated_at", "listed_at", "failed_at", "failure"),
        told={"enabled": "enabled"},
    )
    tools = WatchedTools(
        ToolServerTool,
        ObjectKind.TOOL_SERVER,
        None,
        Action.TOOL_SERVER_CHANGED,
        None,
        ignored=("offered_description", "offered_parameters", "problem", "is_offered", "listed_at", "decided_at"),
        told={"standing": "standing"},
        describe=lambda tool: {"tool": name_of(tool.full_name)},
    )
    tokens = WatchedPasses(
        ApiToken,
        ObjectKind.TOKEN,
        Action.TOKEN_MADE,
        Action.TOKEN_CHANGED,
        Action.TOKEN_REVOKED,
        ignored=("last_used_at", "created_at"),
        told={"can_read_metrics": "can_read_metrics", "is_for_scim": "is_for_scim"},
        describe=_token,
    )
    webhooks = Watched(
        Webhook,
        ObjectKind.WEBHOOK,
        Action.WEBHOOK_CREATED,
        Action.WEBHOOK_CHANGED,
        Action.WEBHOOK_DELETED,
        ignored=("created_at", "cursor", "failing_since", "stopped", "stopped_at"),
        told={"enabled": "enabled"},
    )
    shares = WatchedPasses(
        Share,
        ObjectKind.SHARE,
        Action.SHARE_MADE,
        None,
        Action.SHARE_REVOKED,
        told={"audience": "audience"},
        describe=_share,
    )
    return [users, groups, filled, profiles, servers, tools, tokens, webhooks, shares, *_bounds()]


def _bounds() -> list[Watched]:
    """Return what bounds users: what they may spend, and how long what they have is kept."""
    budget = Action.BUDGET_CREATED, Action.BUDGET_CHANGED, Action.BUDGET_DELETED
    retention = Action.RETENTION_CREATED, Action.RETENTION_CHANGED, Action.RETENTION_DELETED
    hold, deletion = (Action.HOLD_MADE, None, Action.HOLD_ENDED), (Action.DELETION_ASKED, None, Action.DELETION_ENDED)
    return [
        Watched(Budget, ObjectKind.BUDGET, *budget, describe=_budget),
        Watched(RetentionPolicy, ObjectKind.RETENTION, *retention, describe=_policy),
        Watched(LegalHold, ObjectKind.HOLD, *hold, describe=lambda row: {"user": row.owner_id}),
        Watched(DeletionRequest, ObjectKind.DELETION, *deletion, describe=_deletion),
    ]


def _budget(row: Budget) -> Details:
    told: Details = {"user": row.user_id, "group": row.group_id, "per": row.per, "unit": row.unit}
    return {**told, "amount": row.amount}


def _policy(row: RetentionPolicy) -> Details:
    return {"group": row.group_id, "days": row.days, "archived_days": row.archived_days}


def _deletion(row: DeletionRequest) -> Details:
    return {"user": row.owner_id, "format": row.kind}


def _sets() -> list[WatchedSet]:
    users, changed = get_user_model(), Action.USER_CHANGED
    groups, rights, profiles = ((f"{name}_added", f"{name}_removed") for name in ("groups", "permissions", "profiles"))
    return [
        WatchedSet(users, "groups", ObjectKind.USER, changed, *groups),
        WatchedSet(users, "user_permissions", ObjectKind.USER, changed, *rights, name=_codenames),
        WatchedSet(Group, "permissions", ObjectKind.GROUP, Action.GROUP_CHANGED, *rights, name=_codenames),
        WatchedSet(AgentProfile, "groups", ObjectKind.PROFILE, Action.PROFILE_CHANGED, *groups),
        WatchedSet(ToolServer, "groups", ObjectKind.TOOL_SERVER, Action.TOOL_SERVER_CHANGED, *groups),
        WatchedSet(FeatureRule, "groups", ObjectKind.FEATURE, Action.FEATURE_CHANGED, *groups),
        WatchedSet(ToolServer, "profiles", ObjectKind.TOOL_SERVER, Action.TOOL_SERVER_CHANGED, *profiles),
        WatchedSet(Webhook, "groups", ObjectKind.WEBHOOK, Action.WEBHOOK_CHANGED, *groups),
    ]


def _token(token: ApiToken) -> Details:
    days = _days_until(token.expires_at)
    return {"user": token.owner_id, "reads_only": token.reads_only, "profile": token.profile_id, "days": days}


def _share(share: Share) -> Details:
    return {"user": share.owner_id, "session": share.chat_session_id, "days": _days_until(share.expires_at)}


def _days_until(end: datetime | None) -> int | None:
    return None if end is None else (end - timezone.now()).days + 1


def _codenames(keys: Collection[int]) -> list[str]:
    """Return permissions as Django writes them: ``sessions_app.view_message``."""
    rows = Permission.objects.filter(pk__in=keys).values_list("content_type__app_label", "codename")
    return [f"{app}.{codename}" for app, codename in rows]
