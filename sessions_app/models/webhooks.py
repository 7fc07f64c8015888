"""Webhooks: which facts other systems are told, where, and what came of it."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sessions_app.models.journal import JournalEntry
from sessions_app.models.sealed import seal, unseal
from sessions_app.models.tool_servers import check_server_url

TEST = "webhook.test"
"""The name of an event that an operator sends by hand; it tells no fact."""


class Webhook(models.Model):
    """An address that is told facts of the journal; of ``all_users``, or of those in its ``groups``.

    (Were no group to mean all, one that is deleted would hand everybody's facts to who was to get a few.)

    ``events`` are names of facts. ``cursor`` is the id of the journal's last row that was looked at for it: set while
    it is ``enabled``, and only then; the journal keeps what comes after. ``sealed_secret`` signs; so does the earlier
    one, until an operator ends it. ``failing_since`` is when attempts began to fail, null where the last one did not.
    ``stopped`` says why this site has switched it off itself, at ``stopped_at``.
    """

    name = models.CharField(max_length=60, unique=True)
    url = models.CharField(
        "URL",
        max_length=500,
        validators=[check_server_url],
        help_text="Where events are sent to, such as https://hooks.example.org/hermes.",
    )
    events = models.JSONField(default=list)
    all_users = models.BooleanField("all users", default=False, db_default=False, help_text="It is told facts of all.")
    groups = models.ManyToManyField(
        Group, blank=True, related_name="webhooks", help_text="It is told facts of their members."
    )
    with_text = models.BooleanField(
        "send what was said",
        default=False,
        db_default=False,
        help_text="Off: ids alone. On: with each event what the user's own clients are told, messages included.",
    )
    enabled = models.BooleanField(
        default=True, db_default=True, help_text="Off: nothing is sent, and what happens meanwhile is never sent."
    )
    sealed_secret = models.TextField(editable=False)
    sealed_earlier_secret = models.TextField(blank=True, default="", db_default="", editable=False)
    cursor = models.PositiveBigIntegerField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    stopped = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    stopped_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(enabled=True, cursor__isnull=False) | Q(enabled=False, cursor=None),
                name="webhook_looks_while_enabled",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secrets(self) -> list[str]:
        """The secrets that sign, the newest first. Raises UnreadableSecret."""
        return [unseal(sealed) for sealed in (self.sealed_secret, self.sealed_earlier_secret) if sealed]

    def take_secret(self, secret: str) -> None:
        """Sign with this secret from now on, and with the one before as well; the row is not saved."""
        self.sealed_secret, self.sealed_earlier_secret = seal(secret), self.sealed_secret

    def switch(self) -> None:
        """Begin with the journal as it is now, where it was switched on just now; the row is not saved."""
        if not self.enabled:
            self.cursor = None
        elif self.cursor is None:
            newest = JournalEntry.objects.order_by("-pk").values_list("pk", flat=True).first()
            self.cursor, self.failing_since = newest or 0, None
            self.stopped, self.stopped_at = "", None


class DeliveryState(models.TextChoices):
    """Where a delivery stands; ``failed``: it is not tried again but by hand."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDelivery(models.Model):
    """One event for one webhook: what waits to be sent, and the log of what was.

    It has ids and never a word of what was said, like the journal's row that it was made of (``owner_id``, ``cursor``,
    ``session_id``, ``subject``; none of these where it is a test). ``public_id`` is the event's id for its receiver,
    the same at each attempt. While it waits it is due at ``next_at``, by the database's clock; ``claim`` is made afresh
    with each attempt, and what came of one is written only while that holds. ``by_hand``: an operator has asked for it,
    so it goes out whether the webhook is on or not. ``status``, ``duration`` (milliseconds), ``answer`` (its first
    characters) and ``error`` are those of the last attempt.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField("event", max_length=20)
    owner_id = models.BigIntegerField("user id", null=True)
    cursor = models.PositiveBigIntegerField(null=True)
    session_id = models.UUIDField(null=True)
    subject = models.UUIDField(null=True)
    happened_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.WAITING)
    by_hand = models.BooleanField(default=False, db_default=False)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True, db_default=Now())
    claim = models.UUIDField(null=True)
    attempted_at = models.DateTimeField(null=True)
    status = models.PositiveIntegerField("HTTP status", null=True)
    duration = models.PositiveIntegerField("milliseconds", null=True)
    answer = models.CharField(max_length=500, blank=True, default="", db_default="")
    error = models.CharField(max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_known"),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.WAITING, next_at__isnull=False)
                | (~Q(state=DeliveryState.WAITING) & Q(next_at=None)),
                name="delivery_due_while_waiting",
            ),
        ]
        indexes = [
            models.Index(fields=["webhook", "next_at"], condition=Q(state=DeliveryState.WAITING), name="delivery_due"),
            models.Index(fields=["webhook", "id"], name="delivery_of_webhook"),
            models.Index(fields=["created_at"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.public_id}"
