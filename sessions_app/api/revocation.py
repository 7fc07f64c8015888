"""Close open connections when what they were let in by has ended, and tell them what their user may use by now.

A command finds out by itself (``auth``, ``features``); a connection that only listens would not. A logout, a
new password, a deactivation, a revoked token, an expired login or a group that was left are changes of rows, by this
process, another, or a program that is none of ours. So the rows are asked: once a second, in
one hop for all connections of the process. That reaches every process within two seconds and
depends on nothing that could be lost on the way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from sessions_app import database
from sessions_app.api import auth
from sessions_app.api.auth import Caller
from sessions_app.conversations import features
from sessions_app.conversations.features import Denied

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0


def _read(callers: set[Caller], user_ids: set[int]) -> tuple[set[Caller], Mapping[int, Denied]]:
    return auth.valid(callers), features.denied(user_ids) if user_ids else {}


class Guarded(Protocol):
    """A connection that ends when its caller may no longer act; hashed by identity."""

    caller: Caller | None

    @property
    def denied(self) -> Denied | None:
        """What its client was last told that its user may not use; None where it has not asked."""

    def tell_denied(self, denied: Denied) -> None:
        """Tell its client where that is otherwise now."""

    def turn_away(self) -> None:
        """Close, because the caller may no longer act."""


class Doorkeeper:
    """Asks for all connections of a process. Lives as long as the process; rests while there are none."""

    def __init__(self) -> None:
        self._connections: dict[Guarded, None] = {}
        self._rounds: asyncio.Task[None] | None = None

    def add(self, connection: Guarded) -> None:
        """Begin to ask for a connection; lasts until ``remove``."""
        self._connections[connection] = None
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._make_rounds())

    def remove(self, connection: Guarded) -> None:
        """Ask for a connection no more."""
        self._connections.pop(connection, None)
        if not self._connections and self._rounds is not None:
            self._rounds.cancel()
            self._rounds = None

    async def check(self) -> None:
        """Turn away whoever may no longer act, and tell what has changed to those who have asked for it."""
        callers = {connection: connection.caller for connection in self._connections if connection.caller}
        asking = {connection: caller for connection, caller in callers.items() if connection.denied is not None}
        users = {caller.user_id for caller in asking.values()}
        valid, denied = await database.read(_read, set(callers.values()), users)
        for connection, caller in callers.items():
            if caller not in valid:
                connection.turn_away()
            elif connection in asking:
                connection.tell_denied(denied[caller.user_id])

    async def _make_rounds(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.check()
            except Exception:  # the database is away, and no command is carried out either
                logger.exception("connections could not be checked; it is tried again")
