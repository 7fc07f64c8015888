"""What deliveries do in the database, one transaction each: claim, settle, ask for by hand, remove.

A process that dies between a claim and its settling leaves a delivery that is due again when the claim has run out:
another sends it a second time, under the same id.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F
from django.db.models.functions import Now

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.models import TEST_EVENT, DeliveryState, Webhook, WebhookDelivery
from sessions_app.webhooks.collecting import may_go
from sessions_app.webhooks.outcomes import Outcome

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""Before the second attempt, the third …, as Standard Webhooks recommends; after the tenth there is none."""

CLAIMED_FOR = timedelta(seconds=60)
"""An attempt takes less: ``sending.SECONDS`` and a transaction."""

GIVEN_UP_AFTER = timedelta(days=5)
"""A webhook with which no attempt has succeeded for so long is switched off."""

KEPT_FOR = timedelta(days=7)
KEPT = 10_000
"""Deliveries of one webhook that are kept when they are done, and for how long any is kept."""

MOST_WAITING = 100_000
"""A webhook for which more wait is switched off: it will not catch up, and the database is no queue without end."""

_REMOVED_AT_ONCE = 1_000
_GONE = "Its receiver answered 410: it wants no more events."
_FAILING = f"No attempt has succeeded for {GIVEN_UP_AFTER.days} days."
_TOO_MANY = f"More than {MOST_WAITING:,} events waited to be sent."
_BY = {_GONE: "receiver", _FAILING: "failures", _TOO_MANY: "backlog"}


def claim(webhook_id: int, limit: int) -> list[WebhookDelivery]:
    """Take deliveries that are due; each is then nobody else's for ``CLAIMED_FOR``."""
    due = WebhookDelivery.objects.filter(may_go(), webhook=webhook_id).order_by("next_at", "pk")
    keys = list(due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:limit])
    taken = uuid.uuid4()
    claimed = WebhookDelivery.objects.filter(pk__in=keys)
    claimed.update(claim=taken, attempts=F("attempts") + 1, next_at=Now() + CLAIMED_FOR, attempted_at=Now())
    return list(WebhookDelivery.objects.filter(pk__in=keys, claim=taken).select_related("webhook").order_by("pk"))


def settle(webhook_id: int, attempts: Sequence[tuple[WebhookDelivery, Outcome]]) -> str:
    """Write what came of attempts; return why the webhook was switched off by them, empty where it was not."""
    for delivery, outcome in attempts:
        _settle(delivery, outcome)
    return _note(webhook_id, [outcome for _, outcome in attempts])


def _settle(delivery: WebhookDelivery, outcome: Outcome) -> None:
    ours = WebhookDelivery.objects.filter(pk=delivery.pk, claim=delivery.claim, state=DeliveryState.WAITING)
    told = {
        "status": outcome.status,
        "duration": outcome.milliseconds,
        # A receiver may echo what it is sent.
        "answer": "" if delivery.webhook.with_text else outcome.answer,
        "error": outcome.error,
        "claim": None,
    }
    pause = None if outcome.is_gone else pause_after(delivery.attempts, outcome.retry_after)
    if outcome.succeeded:
        ours.update(**told, state=DeliveryState.DELIVERED, next_at=None, by_hand=False)
    elif pause is None:
        ours.update(**told, state=DeliveryState.FAILED, next_at=None, by_hand=False)
    else:
        ours.update(**told, next_at=Now() + pause)


def pause_after(attempts: int, at_least: int = 0) -> timedelta | None:
    """Return how long to wait after so many attempts, a little more each time; None where there is none to come."""
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1] * random.uniform(1.0, 1.1)  # nosec B311
    return max(pause, timedelta(seconds=at_least))


def _note(webhook_id: int, outcomes: Sequence[Outcome]) -> str:
    """Keep ``failing_since`` true, and switch a webhook off that is to get nothing more."""
    webhook = Webhook.objects.filter(pk=webhook_id)
    if any(outcome.is_gone for outcome in outcomes):
        return _stop(webhook_id, _GONE)
    if any(outcome.succeeded for outcome in outcomes):
        webhook.filter(failing_since__isnull=False).update(failing_since=None)
        return ""
    webhook.filter(failing_since=None).update(failing_since=Now())
    failing = webhook.filter(failing_since__lt=Now() - GIVEN_UP_AFTER)
    return _stop(webhook_id, _FAILING) if failing.exists() else ""


def _stop(webhook_id: int, reason: str) -> str:
    enabled = Webhook.objects.filter(pk=webhook_id, enabled=True)
    if not enabled.update(enabled=False, cursor=None, stopped=reason, stopped_at=Now()):
        return ""
    audit.record(Action.WEBHOOK_STOPPED, Object(ObjectKind.WEBHOOK, webhook_id), by=_BY[reason])
    return reason


@transaction.atomic
def ask_for_test(webhook: Webhook) -> None:
    """Have a test event sent."""
    WebhookDelivery.objects.create(webhook=webhook, name=TEST_EVENT, happened_at=Now(), by_hand=True)
    audit.record(Action.WEBHOOK_TESTED, Object(ObjectKind.WEBHOOK, webhook.pk))


@transaction.atomic
def ask_again(keys: Collection[int]) -> int:
    """Have deliveries sent again that are done or wait, as if for the first time; return how many."""
    asked = WebhookDelivery.objects.filter(pk__in=keys)
    for webhook_id, count in asked.values_list("webhook").annotate(Count("pk")).order_by("webhook"):
        audit.record(Action.WEBHOOK_RESENT, Object(ObjectKind.WEBHOOK, webhook_id), count=count)
    return asked.update(state=DeliveryState.WAITING, next_at=Now(), attempts=0, claim=None, by_hand=True)


def remove_old() -> int:
    """Remove deliveries that are kept no longer, in portions; return how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=Now() - KEPT_FOR).order_by("created_at")
    count = _remove(old.values_list("pk", flat=True)[:_REMOVED_AT_ONCE])
    for webhook in Webhook.objects.all():
        done = webhook.deliveries.exclude(state=DeliveryState.WAITING).order_by("-pk")
        count += _remove(done.values_list("pk", flat=True)[KEPT : KEPT + _REMOVED_AT_ONCE])
    return count


def _remove(keys: Iterable[int]) -> int:
    return WebhookDelivery.objects.filter(pk__in=list(keys)).delete()[0]


def stop_overfull() -> list[str]:
    """Switch webhooks off for which too many events wait; return their names."""
    stopped = []
    for webhook in Webhook.objects.filter(enabled=True):
        waiting = webhook.deliveries.filter(state=DeliveryState.WAITING)
        if waiting.order_by("next_at")[MOST_WAITING:].exists() and _stop(webhook.pk, _TOO_MANY):
            waiting.update(state=DeliveryState.FAILED, next_at=None, claim=None, error=_TOO_MANY)
            stopped.append(webhook.name)
    return stopped
