"""The connections of a process to tool servers: one for each user and server, kept for some minutes.

Servers may keep what they like with a connection (a browser, a directory), which must not be another user's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sessions_app.tool_servers.addresses import ServerAddress
from sessions_app.tool_servers.bounds import IDLE_SECONDS, MAX_CONNECTIONS
from sessions_app.tool_servers.errors import ToolServerError

if TYPE_CHECKING:
    from sessions_app.tool_servers.connection import Connection

Key = tuple[int, ServerAddress]


class Connections:
    """Belongs to one event loop, and lives as long as the process. ``timeout`` (seconds) bounds one call."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._type: type[Connection] | None = None
        self._kept: dict[Key, Connection] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def use(self, user_id: int, address: ServerAddress) -> AsyncIterator[Connection]:
        """Use a user's connection to a server, which is opened where there is none. Raises ToolServerError."""
        if self._type is None:
            self._type = await asyncio.to_thread(connection_type)
        key = (user_id, address)
        connection = self._find(key, self._type)
        connection.users += 1
        try:
            yield connection
        finally:
            connection.users -= 1
            connection.used_at = asyncio.get_running_loop().time()
            if connection.is_over and self._kept.get(key) is connection:
                self._dismiss(key)

    def has(self, user_id: int, address: ServerAddress) -> bool:
        """Tell whether a user has a connection to a server."""
        return (user_id, address) in self._kept

    async def sweep(self) -> None:
        """Close what was not used for long."""
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        for key in self._idle():
            if self._kept[key].used_at < oldest:
                self._dismiss(key)

    async def close(self) -> None:
        """Close all of them, those that are used, too."""
        for key in list(self._kept):
            self._dismiss(key)
        while self._closing:
            await asyncio.wait(self._closing)

    def _find(self, key: Key, made_by: type[Connection]) -> Connection:
        if (kept := self._kept.get(key)) is not None:
            if not kept.is_over:
                return kept
            self._dismiss(key)
        if len(self._kept) >= MAX_CONNECTIONS:
            if not (idle := self._idle()):
                raise ToolServerError("Too many tools are running at present.", begun=False)
            self._dismiss(idle[0])
        made = self._kept[key] = made_by(key[1], self._timeout)
        return made

    def _idle(self) -> list[Key]:
        """The keys of what nobody uses, that which was used longest ago first."""
        idle = [key for key, connection in self._kept.items() if not connection.users]
        return sorted(idle, key=lambda key: self._kept[key].used_at)

    def _dismiss(self, key: Key) -> None:
        """Close a connection beside what goes on."""
        closing = asyncio.create_task(self._kept.pop(key).close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


def connection_type() -> type[Connection]:
    """Return the type of connections: importing it takes most of a second, which only who has tool servers shall pay.

    Not in the event loop.
    """
    from sessions_app.tool_servers.connection import Connection

    return Connection
