"""How a request hears of its user's turns: a follower is a connection's subscription like any other.

It lives as long as the request. What it is told before it knows its run is kept until then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sessions_app.api.auth import Caller
from sessions_app.http_api.errors import Gone, unauthorised
from sessions_app.http_api.exchange import Exchange
from sessions_app.realtime.notices import Notice
from sessions_app.realtime.subscriptions import Subscription

QUIET_SECONDS = 15.0
"""After so long without a word the client is told that the connection is alive: proxies close silent ones."""


class Follower(Subscription):
    """The subscription of one request of a caller."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller.user_id, lambda text: None)
        self.caller: Caller | None = caller
        self._notices: asyncio.Queue[Notice | Exception] = asyncio.Queue()

    def deliver(self, notice: Notice) -> None:
        """Take a notice for this connection."""
        self._notices.put_nowait(notice)

    def leave(self) -> None:
        """Note that the client has gone."""
        self._notices.put_nowait(Gone())

    def turn_away(self) -> None:
        """End, because the caller may no longer act; the turn goes on."""
        self._notices.put_nowait(unauthorised())

    async def next_notice(self) -> Notice | None:
        """Return what comes next; None where nothing came for QUIET_SECONDS.

        Raises Gone where the client has gone, ApiError where the caller may no longer act.
        """
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                notice = await self._notices.get()
        except TimeoutError:
            return None
        if isinstance(notice, Exception):
            raise notice
        return notice


@asynccontextmanager
async def following(exchange: Exchange, follower: Follower) -> AsyncIterator[None]:
    """Deliver to a follower what happens from here on, until the block is left. The request's body was read before."""
    runner, doorkeeper = exchange.runner, exchange.doorkeeper
    runner.connect(follower)
    doorkeeper.add(follower)
    watch = asyncio.create_task(exchange.gone())
    watch.add_done_callback(lambda _: follower.leave())
    try:
        await runner.delivery.ready(follower.user_id)
        yield
    finally:
        doorkeeper.remove(follower)
        runner.disconnect(follower)
        watch.cancel()


def event_of(text: str) -> dict[str, Any]:
    """Return the AG-UI event in the frame that tells it."""
    event: dict[str, Any] = json.loads(text)["params"]["event"]
    return event
