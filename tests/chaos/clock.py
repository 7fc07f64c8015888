"""The time of day, as the database and the users tell it alike; and waiting."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime


def now() -> str:
    """To the millisecond, in UTC."""
    return datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]


async def passes(over: asyncio.Event, seconds: float) -> bool:
    """Waits so long; True as soon as it is over."""
    try:
        async with asyncio.timeout(seconds):
            return await over.wait()
    except TimeoutError:
        return False
