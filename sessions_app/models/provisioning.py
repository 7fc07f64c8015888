"""What an identity provider calls accounts and groups, and what it has done to them (SCIM)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models.functions import Now

EXTERNAL_ID_LENGTH = 255


class ProvisionedUser(models.Model):
    """A user whom an identity provider has made, or changed.

    ``is_deactivated`` says that the provider has deactivated the account, so that it may activate it again; a trigger
    (``accounts/sql``) unsets it whenever anybody deactivates the user. ``deleted_at``: since then the account is not
    there for the provider.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="provisioning"
    )
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, blank=True, default="", db_index=True)
    is_deactivated = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"user {self.pk} of an identity provider"


class ProvisionedGroup(models.Model):
    """A group whose members an identity provider says: it has made the group, or a superuser has handed it over.

    Others are not there for it. ``may_hold_rights``: it fills the group though that gives rights in the admin.
    ``deleted_at``: since then the group is not there for the provider, and was emptied.
    """

    group = models.OneToOneField(Group, on_delete=models.CASCADE, primary_key=True, related_name="provisioning")
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, blank=True, default="")
    may_hold_rights = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"group {self.pk} of an identity provider"
