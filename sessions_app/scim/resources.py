"""Users and groups as SCIM tells them. ``root`` is the absolute address of the API, with a slash at its end."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Count

from sessions_app.models import ProvisionedUser
from sessions_app.scim import groups, users

MAX_MEMBERS = 20_000
"""Members of all groups on a page: it ends before the group with which there would be more."""


def user_resources(found: list[User], root: str) -> list[dict[str, Any]]:
    """Return users as they are told."""
    memberships = users.groups_of(found)
    return [_user(user, memberships[user.pk], root) for user in found]


def _user(user: User, memberships: list[tuple[int, str]], root: str) -> dict[str, Any]:
    row: ProvisionedUser | None = getattr(user, "provisioning", None)
    told: dict[str, Any] = {
        "schemas": [users.SCHEMA],
        "id": str(user.pk),
        "userName": user.username,
        "name": {"givenName": user.first_name, "familyName": user.last_name},
        "active": user.is_active,
        "emails": [{"value": user.email, "type": "work", "primary": True}] if user.email else [],
        "groups": [
            {"value": str(key), "$ref": f"{root}Groups/{key}", "display": name, "type": "direct"}
            for key, name in memberships
        ],
        "meta": {
            "resourceType": "User",
            "created": user.date_joined.isoformat(),
            "location": f"{root}Users/{user.pk}",
        },
    }
    return told | ({"externalId": row.external_id} if row and row.external_id else {})


def group_resources(found: list[Group], root: str, *, with_members: bool) -> list[dict[str, Any]]:
    """Return groups as they are told; not all of them where they have very many members together, but one at least."""
    told: list[dict[str, Any]] = []
    room = MAX_MEMBERS
    sizes = dict(Group.objects.filter(pk__in=[group.pk for group in found]).values_list("pk", Count("user")))
    for group in found:
        room -= sizes.get(group.pk, 0) if with_members else 0
        if room < 0 and told:
            break
        told.append(_group(group, root, with_members=with_members))
    return told


def _group(group: Group, root: str, *, with_members: bool) -> dict[str, Any]:
    row = group.provisioning
    told: dict[str, Any] = {
        "schemas": [groups.SCHEMA],
        "id": str(group.pk),
        "displayName": group.name,
        "meta": {
            "resourceType": "Group",
            "created": row.created_at.isoformat(),
            "location": f"{root}Groups/{group.pk}",
        },
    }
    if with_members:
        told["members"] = [
            {"value": str(key), "$ref": f"{root}Users/{key}", "display": name, "type": "User"}
            for key, name in groups.members_of(group)
        ]
    return told | ({"externalId": row.external_id} if row.external_id else {})
