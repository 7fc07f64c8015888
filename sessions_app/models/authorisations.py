"""Users' authorisations at tool servers, and what leads to one. All that opens something is sealed (``sealed``)."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from sessions_app.models.tool_servers import ToolServer

REQUEST_LIFETIME = timedelta(minutes=10)
"""How long a user may take to agree."""


class AuthorisationClient(models.Model):
    """How an authorisation server knows this site: what came of registering there, for one address to come back to."""

    server = models.ForeignKey(ToolServer, on_delete=models.CASCADE, related_name="clients")
    issuer = models.CharField(max_length=500)
    redirect_uri = models.CharField(max_length=500)
    sealed = models.TextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["server", "issuer", "redirect_uri"], name="one_client_of_an_issuer")
        ]

    def __str__(self) -> str:
        return f"client {self.pk}"


class AuthorisationRequest(models.Model):
    """A user who is being asked, by an authorisation server, whether they agree.

    ``digest`` is that of the state which the browser brings back, ``login`` that of the session in which it was sent
    off: only that login of that user can bring it, once, before ``expires_at``.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    server = models.ForeignKey(ToolServer, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    login = models.CharField(max_length=64, editable=False)
    sealed = models.TextField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return f"request {self.pk}"

    @classmethod
    def remove_expired(cls) -> None:
        """Remove those whose time is over."""
        cls.objects.filter(expires_at__lte=timezone.now()).delete()


class Authorisation(models.Model):
    """What a user has agreed to at a tool server: tokens, for the address that the server had then.

    ``expires_at`` is the access token's end, null where nobody has said one. ``refresher`` is the process's call that
    is fetching fresh tokens, until ``refresher_until``: of several that want to, one does.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authorisations")
    server = models.ForeignKey(ToolServer, on_delete=models.CASCADE, related_name="authorisations")
    url = models.CharField(max_length=500)
    sealed = models.TextField(editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)
    refresher = models.UUIDField(null=True, editable=False)
    refresher_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "server"], name="one_authorisation_of_a_user")]

    def __str__(self) -> str:
        return f"authorisation {self.pk}"

    @classmethod
    def remove_abandoned(cls) -> None:
        """Remove those of users who may no longer act, or whose row is gone, by whatever program."""
        users = cls._meta.get_field("owner").related_model._default_manager  # type: ignore[union-attr]
        acting = users.filter(pk=OuterRef("owner_id"), is_active=True)
        cls.objects.filter(~Q(Exists(acting))).delete()
