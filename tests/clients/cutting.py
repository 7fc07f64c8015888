"""A proxy before a site that cuts a WebSocket at a frame, so that a client's connection is lost just there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


@dataclass
class Cutting:
    """Cuts the first connection at a frame: it is not passed on. `told` and `asked` count its frames of each side.

    ``urls``: each connection goes to the next of these.
    """

    urls: list[str]
    at_told: int = 0
    at_asked: int = 0
    connections: int = 0
    told: int = 0
    asked: int = 0
    url: str = ""
    _current: set[ServerConnection] = field(default_factory=set)

    @property
    def has_cut(self) -> bool:
        """Whether its frame has come. An answer may come in fewer frames than another."""
        return 0 < self.at_told <= self.told or 0 < self.at_asked <= self.asked

    async def serve_one(self, client: ServerConnection) -> None:
        """Pass on the frames of a connection."""
        self.connections += 1
        is_first = self.connections == 1
        assert client.request is not None
        headers = {"Authorization": client.request.headers.get("Authorization", "")}
        query = client.request.path.partition("?")[2]
        url = f"{self.urls[(self.connections - 1) % len(self.urls)]}?{query}"
        async with connect(url, additional_headers=headers, max_size=None, proxy=None) as server:
            self._current.add(client)
            down = asyncio.create_task(self._pass(server, client, client, "told", is_first))
            up = asyncio.create_task(self._pass(client, server, client, "asked", is_first))
            await asyncio.wait([down, up], return_when=asyncio.FIRST_COMPLETED)
            self._current.discard(client)
            if (code := server.close_code) not in (None, 1006):
                await client.close(code)
        client.transport.abort()
        await asyncio.wait([down, up])

    async def _pass(self, source: Any, target: Any, client: ServerConnection, side: str, is_first: bool) -> None:
        with suppress(ConnectionClosed):
            async for frame in source:
                if is_first:
                    setattr(self, side, getattr(self, side) + 1)
                    if getattr(self, side) == getattr(self, f"at_{side}"):
                        client.transport.abort()
                        return
                await target.send(frame)

    def cut(self) -> None:
        """Cut what is connected now."""
        for client in self._current:
            client.transport.abort()


@asynccontextmanager
async def cutting(*urls: str, at_told: int = 0, at_asked: int = 0) -> AsyncIterator[Cutting]:
    """A proxy that runs at `url`; 0 is no frame."""
    proxy = Cutting(list(urls), at_told, at_asked)
    async with serve(proxy.serve_one, "127.0.0.1", 0, max_size=None) as server:
        proxy.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        yield proxy
