"""Tickets: secrets good for one WebSocket handshake, for clients that can send nothing but an address."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import models
from django.utils import timezone

from sessions_app.models.tokens import digest_of

LIFETIME = timedelta(seconds=30)


class Ticket(models.Model):
    """A ticket of whoever asked for it: of an API token, or of the login whose session has this key.

    It is gone once it was redeemed. Only its hash is stored. Whether the token or the login still holds is asked when
    it is redeemed: no constraint, over which who revokes a token and who asks for a ticket would stumble.
    """

    digest = models.CharField(max_length=64, unique=True, editable=False)
    token_id = models.BigIntegerField(null=True, editable=False)
    session_key = models.CharField(max_length=40, blank=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return f"ticket {self.pk}"

    @classmethod
    def issue(cls, *, token_id: int | None = None, session_key: str = "") -> str:
        """Make a ticket and return its clear text, which is stored nowhere."""
        clear_text = secrets.token_urlsafe(32)
        expires_at = timezone.now() + LIFETIME
        cls.objects.create(
            digest=digest_of(clear_text), token_id=token_id, session_key=session_key, expires_at=expires_at
        )
        return clear_text

    @classmethod
    def redeem(cls, clear_text: str) -> Ticket | None:
        """Return the ticket with this clear text, once; None where it is unknown, used or expired."""
        row = cls.objects.filter(digest=digest_of(clear_text), expires_at__gt=timezone.now()).first()
        if row is None:
            return None
        # Whoever deletes the row has it: of two at the same instant that is one.
        deleted, _ = cls.objects.filter(pk=row.pk).delete()
        return row if deleted else None

    @classmethod
    def remove_expired(cls) -> None:
        """Remove those whose time is over."""
        cls.objects.filter(expires_at__lte=timezone.now()).delete()
