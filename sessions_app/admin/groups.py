"""Groups in admin: a group is a set of rights, so only superusers change one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.admin import GroupAdmin
from django.http import HttpRequest

from sessions_app.admin import rights
from sessions_app.admin.closed import ClosedAdmin, TickedChoices


class RightsGroupAdmin(TickedChoices, ClosedAdmin, GroupAdmin):
    """Groups: seen by who may view them, made, changed and deleted by superusers."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only superusers make groups."""
        return rights.is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers change groups."""
        return rights.is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers delete groups."""
        return rights.is_superuser(request)
