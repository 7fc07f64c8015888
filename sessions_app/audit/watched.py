"""All that is watched, by subject: to watch one model more, add it to one of these."""

from __future__ import annotations

from sessions_app.audit import watched_bounds, watched_services, watched_users


def watch() -> None:
    """Begin to record what is done to these models, for as long as the process lives."""
    for model in (*watched_users.models(), *watched_services.models(), *watched_bounds.models()):
        model.connect()
    for field in (*watched_users.sets(), *watched_services.sets()):
        field.connect()
