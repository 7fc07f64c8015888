"""What is streamed to a caller ends when the caller may no longer act: a download may last for hours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sessions_app.api.auth import Caller
from sessions_app.conversations.features import Denied
from sessions_app.http_api.errors import unauthorised
from sessions_app.http_api.exchange import Exchange


class _Guard:
    """Breaks the work of a request off. Lives as long as the block that it guards; its client has asked for nothing."""

    denied: Denied | None = None

    def __init__(self, caller: Caller, work: asyncio.Task[object]) -> None:
        self.caller: Caller | None = caller
        self._work = work
        self.has_ended = False

    def tell_denied(self, denied: Denied) -> None:
        """Tell nothing: what is downloaded is no message."""

    def turn_away(self) -> None:
        """End it, because the caller may no longer act."""
        self.has_ended = True
        self._work.cancel()


@asynccontextmanager
async def guarded(exchange: Exchange, caller: Caller) -> AsyncIterator[None]:
    """Break the block off where the caller may no longer act. Nothing in it may change anything. Raises ApiError."""
    work = asyncio.current_task()
    if work is None:
        raise RuntimeError("a request is answered in a task")
    guard = _Guard(caller, work)
    exchange.doorkeeper.add(guard)
    try:
        yield
    except asyncio.CancelledError:
        if not guard.has_ended or work.uncancel() > 0:
            raise
        raise unauthorised() from None
    finally:
        exchange.doorkeeper.remove(guard)
