"""What keeps a group from being deleted: that it is the only one that something is for.

Without groups a profile, a tool server or a feature is for everybody. So to delete the last one of it would open it to
all users, which nobody who deletes a group asks for.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Model, ProtectedError, QuerySet

from sessions_app.models.features import FeatureRule
from sessions_app.models.profiles import AgentProfile
from sessions_app.models.tool_servers import ToolServer

_WITH_GROUPS: tuple[type[Any], ...] = (AgentProfile, ToolServer, FeatureRule)


def opened_without(groups: Collection[int], *, lock: bool = False) -> list[Any]:
    """Return what is for these groups alone, by their keys.

    ``lock``: in a transaction, one at a time, so that two cannot each leave the other's group and both delete theirs.
    """
    found = []
    for model in _WITH_GROUPS:
        name = str(model._meta.model_name)
        named = model.groups.through._default_manager.filter(group__in=groups)
        rows = model._default_manager.filter(pk__in=named.values(name)).order_by("pk")
        for row in rows.select_for_update() if lock else rows:
            found += [] if row.groups.exclude(pk__in=groups).exists() else [row]
    return found


def refuse(sender: type[Model], instance: Any, origin: Any = None, **_: Any) -> None:
    """Refuse to delete groups that are the only ones of something; for `pre_delete`. Raises ProtectedError."""
    if opened := opened_without(_keys(instance, origin), lock=True):
        names = ", ".join(f"{row._meta.verbose_name} {row}" for row in opened)
        raise ProtectedError(f"Without this group these would be for everybody: {names}.", set(opened))


def _keys(instance: Any, origin: Any) -> set[int]:
    """Return the groups that go together: each alone may not be the last."""
    if isinstance(origin, QuerySet) and origin.model is type(instance):
        return {instance.pk, *origin.values_list("pk", flat=True)}
    return {instance.pk}
