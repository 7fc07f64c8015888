"""Make deliveries of the journal's rows, each once for each webhook."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Now

from sessions_app.models import DeliveryState, JournalEntry, Webhook, WebhookDelivery

PAGE = 500
"""Rows of the journal that one transaction looks at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A webhook at a look: how far the journal was looked at for it (None: it is off), and whether anything is due."""

    webhook_id: int
    cursor: int | None
    due: bool
    newest: int

    @property
    def is_behind(self) -> bool:
        """Whether the journal has rows that were not looked at for it."""
        return self.cursor is not None and self.cursor < self.newest


def look() -> list[Seen]:
    """Return all webhooks, by one query that costs by their number alone."""
    due = WebhookDelivery.objects.filter(may_go(), webhook=OuterRef("pk"))
    newest = JournalEntry.objects.order_by("-pk").values("pk")[:1]
    rows = Webhook.objects.annotate(due=Exists(due), newest=Subquery(newest))
    found = rows.values_list("pk", "cursor", "due", "newest")
    return [Seen(key, cursor, is_due, last or 0) for key, cursor, is_due, last in found]


def may_go() -> Q:
    """Return what is true of deliveries that are to be sent now."""
    is_due = Q(state=DeliveryState.WAITING, next_at__lte=Now())
    return is_due & (Q(by_hand=True) | Q(webhook__enabled=True))


def collect(webhook_id: int, until: int) -> bool:
    """Look at the next rows up to an id; return whether there may be more. Of several processes one does each page."""
    webhook = Webhook.objects.filter(pk=webhook_id, cursor__lt=until).first()
    if webhook is None or webhook.cursor is None:
        return False
    page = list(JournalEntry.objects.filter(pk__gt=webhook.cursor, pk__lte=until).order_by("pk")[:PAGE])
    last = page[-1].pk if len(page) == PAGE else until
    if not Webhook.objects.filter(pk=webhook_id, cursor=webhook.cursor).update(cursor=last):
        return True
    chosen = _of_members(webhook, [entry for entry in page if entry.name in webhook.events])
    WebhookDelivery.objects.bulk_create(_delivery(webhook, entry) for entry in chosen)
    return last < until


def _of_members(webhook: Webhook, entries: list[JournalEntry]) -> list[JournalEntry]:
    """Return those of the users whom the webhook is for, as their groups are now."""
    if not entries or webhook.all_users:
        return entries
    users = get_user_model()._default_manager.filter(pk__in={entry.owner_id for entry in entries})
    members = set(users.filter(groups__in=webhook.groups.all()).values_list("pk", flat=True))
    return [entry for entry in entries if entry.owner_id in members]


def _delivery(webhook: Webhook, entry: JournalEntry) -> WebhookDelivery:
    return WebhookDelivery(
        webhook=webhook,
        name=entry.name,
        owner_id=entry.owner_id,
        cursor=entry.cursor,
        session_id=entry.session_id,
        subject=entry.subject,
        happened_at=entry.created_at,
    )
