"""The facts of the user's sessions, in order, each once: also over lost connections.

A fact has a cursor, which rises by one from fact to fact. Where one is missing, and after each handshake, the server is
asked for those after the last one. Facts that come by themselves meanwhile are not needed: they are in its answer, or
come after it. So an answer is taken as it comes, before the frame after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hermes_client.types import FactNotification, ListResult, SinceResult

PAGE = 200


class Journal:
    """``tell(fact)`` gets each fact; ``reset()``: some are no longer kept. ``cursor`` is that of the last one."""

    def __init__(
        self,
        cursor: int | None,
        ask: Callable[[str, dict[str, Any], Callable[[Any], Any]], Awaitable[Any]],
        tell: Callable[[FactNotification], None],
        reset: Callable[[], None],
    ) -> None:
        self.cursor = cursor
        self._ask = ask
        self._tell = tell
        self._reset = reset
        self._asking = asyncio.Lock()

    def hear(self, fact: FactNotification) -> bool:
        """Take a fact that came by itself. Returns False where one is missing before it: then `catch_up`."""
        if self.cursor is None or fact["cursor"] > self.cursor + 1:
            return self._asking.locked()
        self._take(fact)
        return True

    async def begin(self) -> None:
        """Begin with what happens from now on, unless it is known where. Raises Refused, Disconnected."""
        async with self._asking:
            if self.cursor is None:
                await self._ask("session.list", {"limit": 1}, self._begin)

    async def catch_up(self) -> None:
        """Tell all facts that are missing. Raises Refused, Disconnected."""
        async with self._asking:
            has_more = True
            while has_more:
                params = {"cursor": self.cursor, "limit": PAGE}
                has_more = await self._ask("events.since", params, self._take_page)

    def _begin(self, result: ListResult) -> None:
        self.cursor = result["cursor"]

    def _take_page(self, page: SinceResult) -> bool:
        """Take a page of facts, and tell whether there are more."""
        for fact in page["events"]:
            self._take(fact)
        if page["reset"]:
            self.cursor = page["cursor"]
            self._reset()
        return page["has_more"]

    def _take(self, fact: FactNotification) -> None:
        if self.cursor is not None and fact["cursor"] > self.cursor:
            self.cursor = fact["cursor"]
            self._tell(fact)
