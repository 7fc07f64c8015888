"""API tokens: a high-entropy secret of which only the hash is stored."""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now

PREFIX = "hermes_"


def digest_of(clear_text: str) -> str:
    """Return the SHA-256 of a token: with 256 random bits no slow hash is needed."""
    return hashlib.sha256(clear_text.encode("utf-8", "surrogatepass")).hexdigest()


class ApiToken(models.Model):
    """A token by which an API client acts as its owner. Revoking it deletes the row."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    can_read_metrics = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name or f"token {self.pk}"

    @classmethod
    def issue(cls, owner: AbstractUser, name: str = "") -> tuple[ApiToken, str]:
        """Create a token and return it with its clear text, which is stored nowhere."""
        clear_text = PREFIX + secrets.token_urlsafe(32)
        return cls.objects.create(owner=owner, name=name, digest=digest_of(clear_text)), clear_text

    @classmethod
    def find(cls, clear_text: str) -> ApiToken | None:
        """Return the token of an active user with this clear text, else None."""
        return cls.objects.select_related("owner").filter(digest=digest_of(clear_text), owner__is_active=True).first()
