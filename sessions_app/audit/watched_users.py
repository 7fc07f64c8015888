"""What is watched of users: who they are, what they and their groups may, and by which keys others come in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

from sessions_app.audit.actions import Action, ObjectKind
from sessions_app.audit.details import Details, days_until
from sessions_app.audit.recording import record
from sessions_app.audit.watching import Watched, WatchedPasses, WatchedSet
from sessions_app.models import ApiToken, FeatureRule, ProvisionedGroup

_USER = Action.USER_CREATED, Action.USER_CHANGED, Action.USER_DELETED
_GROUP = Action.GROUP_CREATED, Action.GROUP_CHANGED, Action.GROUP_DELETED
_FILLED = Action.GROUP_HANDED_OVER, Action.GROUP_CHANGED, Action.GROUP_TAKEN_BACK
_TOKEN = Action.TOKEN_MADE, Action.TOKEN_CHANGED, Action.TOKEN_REVOKED
_FLAGS = {"is_active": "active", "is_staff": "staff", "is_superuser": "superuser"}
_RIGHTS = {name: name for name in ("can_read_metrics", "is_for_scim")}


class WatchedUsers(Watched):
    """Users. A new password is an action of its own; a hash that is made stronger at a login is none."""

    def changes(self, instance: Any, fields: Collection[str]) -> None:
        """Record a new password by itself. ``_password`` is how Django tells it from an old one that is hashed anew."""
        if "password" in fields and (instance._password is not None or not instance.has_usable_password()):
            record(Action.PASSWORD_CHANGED, self.object(instance))
        if others := set(fields) - {"password"}:
            super().changes(instance, others)


def models() -> list[Watched]:
    """Return the models."""
    filled = {"may_hold_rights": "may_hold_rights"}
    return [
        WatchedUsers(get_user_model(), ObjectKind.USER, *_USER, ignored=("last_login",), told=_FLAGS),
        Watched(Group, ObjectKind.GROUP, *_GROUP),
        Watched(ProvisionedGroup, ObjectKind.GROUP, *_FILLED, ignored=("created_at", "external_id"), told=filled),
        WatchedPasses(
            *(ApiToken, ObjectKind.TOKEN, *_TOKEN),
            ignored=("last_used_at", "created_at"),
            told=_RIGHTS,
            describe=_token,
        ),
    ]


def sets() -> list[WatchedSet]:
    """Return the many-to-many fields."""
    users, groups, rights = (
        get_user_model(),
        ("groups_added", "groups_removed"),
        ("permissions_added", "permissions_removed"),
    )
    return [
        WatchedSet(users, "groups", ObjectKind.USER, Action.USER_CHANGED, *groups),
        WatchedSet(users, "user_permissions", ObjectKind.USER, Action.USER_CHANGED, *rights, name=_codenames),
        WatchedSet(Group, "permissions", ObjectKind.GROUP, Action.GROUP_CHANGED, *rights, name=_codenames),
        WatchedSet(FeatureRule, "groups", ObjectKind.FEATURE, Action.FEATURE_CHANGED, *groups),
    ]


def _token(token: ApiToken) -> Details:
    days = days_until(token.expires_at)
    return {"user": token.owner_id, "reads_only": token.reads_only, "profile": token.profile_id, "days": days}


def _codenames(keys: Collection[int]) -> list[str]:
    """Return permissions as Django writes them: ``sessions_app.view_message``."""
    rows = Permission.objects.filter(pk__in=keys).values_list("content_type__app_label", "codename")
    return [f"{app}.{codename}" for app, codename in rows]
