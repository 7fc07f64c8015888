"""A client of the peer: one connection, the frames that its own page sends (Socket.IO 5 over Engine.IO 4)."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from time import perf_counter
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from bench.client import PATIENCE
from bench.provider import PLAIN
from bench.timing import Timing
from bench.wire import Wire, connect

_PATH = "/ws/socket.io/?EIO=4&transport=websocket"
_PING, _CONNECTED, _EVENT = b"2", b"40", b"42"


class PeerClient:
    """One user's connection, with a conversation of its own. For one turn at a time."""

    wire: Wire

    def __init__(self, url: str, cookie: str) -> None:
        self._url = url
        self._cookie = cookie
        self._first = 0.0
        self._said = ""
        self._ready: asyncio.Future[None]
        self._ended: asyncio.Future[bool] | None = None

    async def __aenter__(self) -> Self:
        self._ready = asyncio.get_running_loop().create_future()
        self.wire = await connect(self._url, f"Cookie: {self._cookie}", self._hear, _PATH)
        told = {"sessionId": str(uuid4()), "clientType": "webapp", "userEnv": "{}", "threadId": ""}
        self.wire.send(f"{_CONNECTED.decode()}{json.dumps(told)}")
        async with asyncio.timeout(PATIENCE):
            await self._ready
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.wire.close()

    async def turn(self) -> Timing:
        """One turn, to its end."""
        began = perf_counter()
        self._first, self._said = 0.0, ""
        self._ended = asyncio.get_running_loop().create_future()
        message = {
            "id": str(uuid4()),
            "threadId": "",
            "name": "User",
            "type": "user_message",
            "output": PLAIN.text,
            "createdAt": datetime.now(UTC).isoformat(),
        }
        self._emit("client_message", {"message": message, "fileReferences": []})
        try:
            async with asyncio.timeout(PATIENCE):
                whole = await self._ended
        except TimeoutError:
            return Timing(PATIENCE, PATIENCE, whole=False)
        return Timing(self._first - began, perf_counter() - began, whole)

    def _emit(self, event: str, *values: Any) -> None:
        self.wire.send(f"{_EVENT.decode()}{json.dumps([event, *values])}")

    def _hear(self, frame: bytes) -> None:
        if frame.startswith(_EVENT):
            self._take(*json.loads(frame[len(_EVENT) :]))
        elif frame.startswith(_CONNECTED):
            self._emit("connection_successful")
        elif frame == _PING:
            self.wire.send("3")

    def _take(self, event: str, value: Any = None, *_: Any) -> None:
        """An event: the first token comes with the answer's beginning, the rest one by one."""
        if event == "stream_token" or (event == "stream_start" and value["output"]):
            self._first = self._first or perf_counter()
            self._said += value["token"] if event == "stream_token" else value["output"]
        elif event == "task_end":
            if not self._ready.done():
                self._ready.set_result(None)
            elif self._ended is not None and not self._ended.done():
                self._ended.set_result(self._said == PLAIN.answer)
