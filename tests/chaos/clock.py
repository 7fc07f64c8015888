"""The time of day, as the database and the users tell it alike."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """To the millisecond, in UTC."""
    return datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
