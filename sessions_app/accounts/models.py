"""The rows of the accounts: names, logins, what the throttle counts, and who else says who somebody is."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from sessions_app.models.sealed import seal, unseal


class Attempt(models.Model):
    """One attempt at a password. `key` is a keyed hash: a password typed as a user name stays unreadable."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["key", "at"]), models.Index(fields=["at"]))

    def __str__(self) -> str:
        return f"{self.key[:8]} at {self.at:%Y-%m-%d %H:%M}"


class Wait(models.Model):
    """How long the next attempt at a name has to wait, wherever it comes from. `key` is a keyed hash, as above."""

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]} until {self.until:%Y-%m-%d %H:%M:%S}"


class NameShape(models.Model):
    """What a user's name looks like: as it is, in lower and in upper case. No two users share one.

    Written by triggers only (``sql/``), so that every way to a name is covered. A user without a shape has a name that
    looked like another's when the triggers came.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="name_shapes")
    shape = models.TextField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["shape"], name="accounts_nameshape_unique"),)

    def __str__(self) -> str:
        return self.shape

    def _save_table(self, raw: bool = False, *args: Any, **kwargs: Any) -> bool:
        """Write nothing: the triggers have done so, also while a fixture is loaded (``raw``)."""
        if not raw:
            raise TypeError("Shapes are kept by the database; a model never saves one.")
        return True


class Login(models.Model):
    """A browser in which a user is logged in; its session is the row of `django_session` with the same key.

    The key opens the account: it is shown nowhere. A row without a session is one whose session has ended.
    `address` is that of the last page.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="logins")
    session_key = models.CharField(max_length=40, unique=True, editable=False)
    user_agent = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return f"login {self.pk}"


OWN_KEY = "sso"
"""The key of the provider that the settings name; no row has it."""
LONGEST_ISSUER = 200
"""Characters: as many as a link to an account keeps (``SocialAccount.provider``)."""


def check_key(key: str) -> None:
    """Refuse the key of the provider that the settings name. Raises ValidationError."""
    if key == OWN_KEY:
        raise ValidationError(f"“{OWN_KEY}” is the provider that the settings name.")


class IdentityProvider(models.Model):
    """An OpenID provider that an operator has added: it says who somebody is, and they are logged in.

    ``sealed_secret`` is the client's secret, sealed like the keys of model servers. Accounts are linked to the issuer
    (``SocialAccount.provider``), not to this row: whose row names the same issuer again finds the same people.
    """

    key = models.SlugField(
        max_length=30,
        unique=True,
        validators=[check_key],
        help_text="Part of the address that the provider leads back to: …/accounts/oidc/KEY/callback/",
    )
    name = models.CharField(max_length=40, unique=True, help_text="On the login's button: “Log in with NAME”.")
    issuer = models.CharField(
        max_length=LONGEST_ISSUER,
        unique=True,
        help_text="As the provider itself writes it, such as https://login.example.org/realms/main.",
    )
    client_id = models.CharField("client id", max_length=191)
    sealed_secret = models.TextField(blank=True, default="", editable=False)
    groups_claim = models.CharField(
        "claim with groups",
        max_length=100,
        default="groups",
        help_text="Its name, or a path such as realm_access.roles.",
    )
    enabled = models.BooleanField(default=True, help_text="Off: nobody logs in through it.")

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """The client's secret. Raises UnreadableSecret."""
        return unseal(self.sealed_secret) if self.sealed_secret else ""

    def keep_secret(self, secret: str) -> None:
        """Keep this secret and no other; the row is not saved."""
        self.sealed_secret = seal(secret) if secret else ""


class ProviderGroup(models.Model):
    """A group that a provider may give: to whom its claim has this value."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="groups")
    value = models.CharField("value in the claim", max_length=200)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["provider", "value", "group"], name="accounts_providergroup_unique"),
        )

    def __str__(self) -> str:
        return f"{self.value} → {self.group}"


class GivenGroup(models.Model):
    """A group that a user is in because a provider said so at their last login; a group given by hand has no row."""

    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, related_name="given_groups")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "group"], name="accounts_givengroup_unique"),)

    def __str__(self) -> str:
        return f"{self.group} of {self.account_id}"
