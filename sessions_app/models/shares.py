"""Links to chats as they were: what a link shows is kept by reference, with a digest of what it was."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from sessions_app.models.sessions import TITLE_LENGTH, ChatSession


class Audience(models.TextChoices):
    """Whom a link is for: everybody who has it, or those of them who are signed in."""

    USERS = "users", "People who are signed in"
    EVERYBODY = "everybody", "Everybody who has the link"


class Share(models.Model):
    """A link to the line of a chat up to and with the message ``until``, as it was when the link was made.

    ``branch`` is where that line ends: no later branch changes it. Of the key, which is a part of the link's address,
    there is the SHA-256 (``digest``), by which it is found, and the key itself ``sealed``, so that its owner can be
    shown the link again. Deleting the row revokes the link. It goes with the chat.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", editable=False)
    chat_session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="shares", editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    sealed = models.TextField(editable=False)
    audience = models.CharField(max_length=9, choices=Audience, editable=False)
    title = models.CharField(max_length=TITLE_LENGTH, blank=True, editable=False)
    until = models.UUIDField(editable=False)
    # No constraints: programs that delete messages or branches need not know of links.
    branch = models.UUIDField(editable=False)
    pages = models.PositiveIntegerField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "shared link"
        constraints = [
            models.CheckConstraint(condition=models.Q(audience__in=Audience.values), name="share_audience_known")
        ]

    def __str__(self) -> str:
        return str(self.id)  # not the title: this stands in logs and on pages, and the title says what was said

    @property
    def has_expired(self) -> bool:
        """Tell whether its time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()


class SharePage(models.Model):
    """A page of a shared chat: the messages of its line at the positions ``first`` to ``last``.

    ``digest`` is that of what they held when the link was made. A page whose messages hold something else is not shown.
    """

    id = models.BigAutoField(primary_key=True)
    share = models.ForeignKey(Share, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["share", "number"], name="one_page_a_number")]

    def __str__(self) -> str:
        return f"page {self.number}"
