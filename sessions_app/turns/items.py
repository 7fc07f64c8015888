"""What processes say to each other over the relay, as the JSON that travels."""

from __future__ import annotations

from uuid import UUID

from sessions_app.turns.hub import Notification
from sessions_app.turns.layer import Item


def follow_item(session_id: UUID, run_id: UUID) -> Item:
    """Ask a run's owner for all of its events."""
    return {"kind": "follow", "session": str(session_id), "run": str(run_id)}


def event_item(user_id: int, notification: Notification) -> Item:
    """Tell a user's other processes of an event."""
    return {
        "kind": "event",
        "user": user_id,
        "session": str(notification.session_id),
        "run": notification.run_id and str(notification.run_id),
        "seq": notification.seq,
        "text": notification.text,
        "last": notification.last,
        "began": notification.began,
        "follows": notification.follows,
    }


def notification_of(item: Item) -> Notification:
    """Return the event that an item tells."""
    return Notification(
        UUID(item["session"]),
        item["run"] and UUID(item["run"]),
        item["seq"],
        item["text"],
        item["last"],
        item["began"],
        item["follows"],
    )
