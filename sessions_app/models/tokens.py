"""API tokens: a high-entropy secret of which only the hash is stored."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from sessions_app.models.features import Feature, FeatureRule
from sessions_app.models.profiles import AgentProfile

PREFIX = "hermes_"
LIFETIME = timedelta(days=90)
"""How long a token lasts if its maker does not say otherwise."""
TOKENS_PER_USER = 20
# How fine "last used" is.
_USE_STEP = timedelta(minutes=1)


class TooManyTokens(Exception):
    """A user has as many tokens as they may have."""

    def __init__(self) -> None:
        super().__init__(f"A user has at most {TOKENS_PER_USER} API tokens. Revoke one that is not needed.")


def digest_of(clear_text: str) -> str:
    """Return the SHA-256 of a token: with 256 random bits no slow hash is needed."""
    return hashlib.sha256(clear_text.encode("utf-8", "surrogatepass")).hexdigest()


class ApiToken(models.Model):
    """A token by which an API client acts as its owner. Revoking it deletes the row.

    It holds until it expires (never, if it was made before tokens had an end) and while its owner is active and may use
    tokens at all: one who may not, and later may again, has the same tokens. What it may do is said when it is made:
    ``reads_only`` changes nothing, and with a ``profile`` there are only that one's chats, and it ends with it. One
    that ``is_for_scim`` opens SCIM alone, while its owner is an active superuser, whatever groups may.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    reads_only = models.BooleanField("only reads", default=False, db_default=False, editable=False)
    profile = models.ForeignKey(
        AgentProfile, on_delete=models.CASCADE, null=True, blank=True, editable=False, related_name="+"
    )
    is_for_scim = models.BooleanField("only for SCIM", default=False, db_default=False, editable=False)
    can_read_metrics = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"token {self.pk}"  # not the name: this stands in admin's log, when the token and its user are gone

    @property
    def label(self) -> str:
        """What its user calls it, on pages."""
        return self.name or str(self)

    @property
    def has_expired(self) -> bool:
        """Tell whether its time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @classmethod
    @transaction.atomic
    def issue(
        cls,
        owner: AbstractUser,
        name: str = "",
        lifetime: timedelta = LIFETIME,
        *,
        reads_only: bool = False,
        profile: AgentProfile | None = None,
        is_for_scim: bool = False,
    ) -> tuple[ApiToken, str]:
        """Create a token and return it with its clear text, which is stored nowhere. Raises TooManyTokens.

        The owner's expired ones are removed.
        """
        now = timezone.now()
        # One at a time for each user, or two could both take the last place.
        get_user_model()._default_manager.select_for_update().filter(pk=owner.pk).first()
        own = cls.objects.filter(owner=owner)
        own.filter(expires_at__lte=now).delete()
        if own.count() >= TOKENS_PER_USER:
            raise TooManyTokens
        clear_text = PREFIX + secrets.token_urlsafe(32)
        limits = {"reads_only": reads_only, "profile": profile, "is_for_scim": is_for_scim}
        token = cls.objects.create(
            owner=owner, name=name, digest=digest_of(clear_text), expires_at=now + lifetime, **limits
        )
        return token, clear_text

    @classmethod
    def valid(cls) -> models.QuerySet[ApiToken]:
        """Return the tokens that let in now."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        may = models.Q(is_for_scim=True) | FeatureRule.allows(Feature.API_TOKENS, "owner")
        return cls.objects.filter(unexpired, may, owner__is_active=True)

    @classmethod
    def find(cls, clear_text: str) -> ApiToken | None:
        """Return the token with this clear text if it lets in to the owner's chats, else None."""
        return cls._valid(clear_text).filter(is_for_scim=False).first()

    @classmethod
    def use_for_scim(cls, clear_text: str) -> ApiToken | None:
        """Return the token with this clear text, and note that it is used, if it opens SCIM; else None."""
        token = cls._valid(clear_text).filter(is_for_scim=True, owner__is_superuser=True).first()
        if token is not None:
            now = timezone.now()
            stale = models.Q(last_used_at=None) | models.Q(last_used_at__lt=now - _USE_STEP)
            cls.objects.filter(stale, pk=token.pk).update(last_used_at=now)
        return token

    @classmethod
    def _valid(cls, clear_text: str) -> models.QuerySet[ApiToken]:
        return cls.valid().select_related("owner").filter(digest=digest_of(clear_text))
