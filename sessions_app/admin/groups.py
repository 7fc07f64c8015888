"""Groups in admin: a group is a set of rights, so only superusers change one, or have an identity provider fill it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sessions_app.admin import rights
from sessions_app.admin.closed import ClosedAdmin, TickedChoices
from sessions_app.admin.features import allowed_by
from sessions_app.admin.filling import Filling, GroupForm, hand_over
from sessions_app.models.group_removal import opened_without


class RightsGroupAdmin(TickedChoices, ClosedAdmin, GroupAdmin):
    """Groups: seen by who may view them, made, changed and deleted by superusers."""

    form = GroupForm
    readonly_fields = ("allows",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what a group allows that is not made yet, and who fills it where the reader may not say so."""
        allows = () if obj is None else ("allows",)
        filled = ("filled",) if self.has_change_permission(request, obj) else ()
        return ("name", *allows, *filled, "permissions")

    def save_related(self, request: HttpRequest, form: forms.BaseForm, formsets: Any, change: bool) -> None:
        """Store who fills the group with it; a script may leave it out."""
        super().save_related(request, form, formsets, change)
        if filled := form.cleaned_data["filled"]:
            hand_over(form.instance, Filling(filled))  # type: ignore[attr-defined]

    @admin.display(description="what it allows")
    def allows(self, row: Any) -> SafeString | str:
        """What is for this group and not for everybody."""
        said: SafeString | str = row.allows_said
        return said

    def add_to_page(self, request: HttpRequest, context: dict[str, Any], obj: Any) -> None:
        """Add what the group allows, as far as the reader may see it."""
        if obj is not None:
            obj.allows_said = allowed_by(request, obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Add what keeps groups from being deleted."""
        shown, counts, rights_needed, protected = super().get_deleted_objects(objs, request)
        opened = opened_without([group.pk for group in objs])
        told = [f"{row._meta.verbose_name} {row}" for row in opened]
        return shown, counts, rights_needed, [*protected, *told]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only superusers make groups."""
        return rights.is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers change groups."""
        return rights.is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers delete groups."""
        return rights.is_superuser(request)
