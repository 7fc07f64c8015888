"""The rows of the accounts: names, logins, and what the throttle counts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


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
