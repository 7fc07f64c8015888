"""Groups that a command names."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.core.management.base import CommandError


def groups_named(names: list[str] | None) -> list[Group] | None:
    """Return the groups of these names; None where none were given. Raises CommandError."""
    if names is None:
        return None
    found = list(Group.objects.filter(name__in=names))
    if missing := set(names) - {group.name for group in found}:
        raise CommandError(f"There is no group {', '.join(map(repr, sorted(missing)))}. Make it in /admin/ first.")
    return found
