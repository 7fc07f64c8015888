"""By whom a group is filled: by hand, or by an identity provider, which a superuser says on the group's page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import TextChoices

from sessions_app.models import ProvisionedGroup


class Filling(TextChoices):
    """Who says who is in a group."""

    BY_HAND = "by hand", "Administrators, by hand"
    BY_SCIM = "by SCIM", "An identity provider (SCIM), as long as the group gives no rights"
    BY_SCIM_WITH_RIGHTS = "by SCIM, with rights", "An identity provider (SCIM), whatever rights the group gives"


class GroupForm(forms.ModelForm):
    """Django's, with who fills the group."""

    filled = forms.ChoiceField(
        choices=Filling,
        required=False,
        label="Filled by",
        help_text="Who may fill a group with rights can have them: let an identity provider do so only if it may.",
    )

    class Meta:
        model = Group
        fields = ("name", "permissions", "filled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "filled" in self.fields:  # not on the page of who may only view
            self.fields["filled"].initial = filling_of(self.instance)


def filling_of(group: Group) -> Filling:
    """Return who fills a group. One that the identity provider has deleted is filled by hand."""
    row = ProvisionedGroup.objects.filter(group=group, deleted_at=None).first() if group.pk else None
    if row is None:
        return Filling.BY_HAND
    return Filling.BY_SCIM_WITH_RIGHTS if row.may_hold_rights else Filling.BY_SCIM


def hand_over(group: Group, filling: Filling) -> None:
    """Have a group filled so from now on."""
    if filling == filling_of(group):
        return
    if filling == Filling.BY_HAND:
        ProvisionedGroup.objects.filter(group=group).delete()
        return
    stored = {"may_hold_rights": filling == Filling.BY_SCIM_WITH_RIGHTS, "deleted_at": None}
    ProvisionedGroup.objects.update_or_create(group=group, defaults=stored)
