"""What an event looks like on the wire, by Standard Webhooks: a JSON body, an id, a time, signatures."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sessions_app import journal
from sessions_app.models import JournalEntry, WebhookDelivery
from sessions_app.realtime.notices import event_of

SECRET_BYTES = 32


def make_secret() -> str:
    """Return a fresh secret, in the form that receivers are given it."""
    return f"whsec_{b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def bodies_of(deliveries: Iterable[WebhookDelivery]) -> list[str]:
    """Return the bodies of events: ids, and the facts' values as they are now where the webhook sends those.

    In a database thread. A value is null where its rows are gone, or its user is in none of the webhook's groups any
    more: an event may have waited for days, or be sent again.
    """
    return [_body(delivery) for delivery in deliveries]


def _body(delivery: WebhookDelivery) -> str:
    data: dict[str, Any] = {}
    if delivery.owner_id is not None:
        data = {
            "user_id": delivery.owner_id,
            "cursor": delivery.cursor,
            "session_id": delivery.session_id,
            "subject": delivery.subject,
        }
        if delivery.webhook.with_text:
            data["value"] = _value(delivery, delivery.owner_id) if _is_told(delivery) else None
    event = {"type": delivery.name, "timestamp": _written(delivery.happened_at), "data": data}
    return json.dumps(event, separators=(",", ":"), default=str)


def headers_of(delivery: WebhookDelivery, body: str) -> dict[str, str]:
    """Return the headers of an event: one signature for each secret that is good. Raises UnreadableSecret."""
    from standardwebhooks import Webhook as Signer

    name, at = f"msg_{delivery.public_id.hex}", delivery.attempted_at or datetime.now(UTC)
    signatures = [Signer(secret).sign(name, at, body) for secret in delivery.webhook.secrets]
    return {
        "content-type": "application/json",
        "user-agent": "HermesSite/1.0 (webhooks)",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _is_told(delivery: WebhookDelivery) -> bool:
    webhook = delivery.webhook
    return webhook.all_users or bool(webhook.groups.filter(user=delivery.owner_id).exists())


def _value(delivery: WebhookDelivery, owner_id: int) -> Any:
    entry = JournalEntry(
        owner_id=owner_id,
        cursor=delivery.cursor or 0,
        name=delivery.name,
        session_id=delivery.session_id,
        subject=delivery.subject,
    )
    [fact] = journal.tell(owner_id, [entry])
    return event_of(fact).value


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
