"""A client of the host: one connection, the contract's frames, nothing of the host's own code."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from time import perf_counter
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from bench.provider import ANSWER
from bench.timing import Timing

# Seconds after which a turn counts as failed.
PATIENCE = 60.0


class Client:
    """One user's connection. For one request or turn at a time."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.replace("http://", "ws://") + "ws/chat/"
        self._token = token
        self._numbers = count(1)
        self._socket: ClientConnection

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._url,
            additional_headers={"Authorization": f"Bearer {self._token}"},
            compression=None,
            max_size=None,
            ping_interval=None,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()

    async def _send(self, method: str, params: dict[str, Any]) -> str:
        """Send a request and return what the frame of its answer begins with."""
        number = next(self._numbers)
        await self._socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
        return f'{{"jsonrpc":"2.0","id":{number},'

    async def ask(self, method: str, **params: Any) -> tuple[dict[str, Any], int]:
        """The result, and the bytes of its frame."""
        mine = await self._send(method, params)
        while not (frame := str(await self._socket.recv())).startswith(mine):
            pass
        result: dict[str, Any] = json.loads(frame)["result"]
        return result, len(frame.encode())

    async def open_new(self) -> str:
        """Create a session, open it here, and return its id."""
        created, _ = await self.ask("session.create")
        session_id: str = created["session"]["id"]
        await self.ask("session.open", session_id=session_id)
        return session_id

    async def turn(
        self, session_id: str, text: str = "Tell me something about the sea, in some fifty words."
    ) -> Timing:
        """One turn of an open session, to its RUN_FINISHED; not whole where it failed or took a minute."""
        began = perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._turn(session_id, text, began)
        except TimeoutError:
            return Timing(PATIENCE, PATIENCE, whole=False)

    async def _turn(self, session_id: str, text: str, began: float) -> Timing:
        asked = {"session_id": session_id, "text": text, "message_id": str(uuid4())}
        mine = await self._send("turn.start", asked)
        first, said = 0.0, ""
        while True:
            frame = str(await self._socket.recv())
            if '"type":"TEXT_MESSAGE_CONTENT"' in frame:
                first = first or perf_counter()
                said += json.loads(frame)["params"]["event"]["delta"]
            elif '"type":"RUN_FINISHED"' in frame:
                return Timing(first - began, perf_counter() - began, said == ANSWER)
            elif '"type":"RUN_ERROR"' in frame or (frame.startswith(mine) and '"error":' in frame):
                return Timing(first - began if first else PATIENCE, perf_counter() - began, whole=False)
