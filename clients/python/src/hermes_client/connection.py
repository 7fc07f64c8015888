"""JSON-RPC 2.0 over one WebSocket that mends itself."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as handshake
from websockets.exceptions import ConnectionClosed, WebSocketException

from hermes_client.errors import Denied, Disconnected, HermesError, TooLarge, refusal

_DENIED, _FRAME_TOO_LARGE = 4401, (1009, 4009)
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 20.0
"""Seconds before another attempt to connect: they double with each failure."""

# They change nothing, or the same again changes nothing more.
_REPEATABLE = frozenset(
    {
        *("session.list", "session.open", "session.close", "session.messages", "session.search", "session.ledger"),
        *("session.update", "memory.list", "memory.update", "memory.switch", "message.rate", "branch.select"),
        *("profile.list", "events.since", "account.features", "account.usage", "markdown.render", "rpc.discover"),
    }
)
# By an id that the caller has made, the server knows a repeat from another request.
_KEYS = {"turn.start": "message_id", "message.edit": "new_id", "turn.stop": "run_id"}

Take = Callable[[Any], Any]


class Owner(Protocol):
    """Who has a connection. Frames are told in the order of the wire."""

    def hear(self, notice: Any) -> None:
        """Take a notification."""

    async def greet(self) -> None:
        """Ask, by `Connection.ask`, what is to be asked after a handshake, before anything else is."""

    def ended(self, error: HermesError) -> None:
        """Take the news that there will be no connection again."""


def may_repeat(method: str, params: dict[str, Any]) -> bool:
    """Tell whether a request may be sent again where nobody knows whether it was carried out."""
    return method in _REPEATABLE or params.get(_KEYS.get(method, "")) is not None


@dataclass(slots=True, eq=False)
class _Request:
    method: str
    params: dict[str, Any]
    take: Take
    result: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: HermesError) -> None:
        """End it. Nobody may be there to hear of it any more."""
        if not self.result.done():
            self.result.set_exception(error)
            self.result.exception()


class Connection:
    """Sends requests and hears notifications. `start` it, `close` it."""

    def __init__(self, url: str, token: str, owner: Owner) -> None:
        self._url = url
        self._token = token
        self._owner = owner
        self._ids = count(1)
        self._socket: ClientConnection | None = None
        self._waiting: dict[int, _Request] = {}
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._end: HermesError | None = None
        self._failures = 0

    async def start(self) -> None:
        """Return once there is a connection. Raises Denied, OSError and what the handshake raises."""
        connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep(connected))
        try:
            await connected
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the connection; what waits for an answer fails with Disconnected."""
        self._end = self._end or Disconnected("The client is closed.")
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def call(self, method: str, params: dict[str, Any], take: Take = lambda result: result) -> Any:
        """Return what ``take`` makes of the result, which gets it before anything that follows on the wire.

        Waits for a connection, and sends a request again that may be repeated. Raises Refused, Disconnected, Denied.
        """
        while True:
            await self._ready.wait()
            if self._end is not None:
                raise self._end
            try:
                return await self.ask(method, params, take)
            except Disconnected:
                if self._end is not None or not may_repeat(method, params):
                    raise

    async def ask(self, method: str, params: dict[str, Any], take: Take = lambda result: result) -> Any:
        """The same over the connection that is there, once. Raises Refused, Disconnected."""
        if self._socket is None:
            raise Disconnected("There is no connection.")
        request, request_id = _Request(method, params, take), next(self._ids)
        self._waiting[request_id] = request
        frame = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        try:
            await self._socket.send(json.dumps(frame))
            return await request.result
        except WebSocketException as error:
            raise Disconnected(str(error)) from error
        finally:
            self._waiting.pop(request_id, None)

    async def _keep(self, connected: asyncio.Future[None]) -> None:
        try:
            while self._end is None:
                try:
                    await self._connect(connected)
                except (OSError, WebSocketException) as error:
                    if not connected.done():
                        connected.set_exception(error)
                        return
                if self._end is None:
                    await asyncio.sleep(self._pause())
        finally:
            self._end = self._end or Disconnected("The client has stopped.")
            self._ready.set()
            self._owner.ended(self._end)
            if not connected.done():
                connected.set_exception(self._end)

    def _pause(self) -> float:
        """Seconds; half of it is chance, or all clients of a restarted server would come at once."""
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**self._failures)
        self._failures += 1
        return longest * (0.5 + random.random() / 2)

    async def _connect(self, connected: asyncio.Future[None]) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with handshake(self._url, additional_headers=headers, max_size=None) as socket:
            self._socket = socket
            greeting = asyncio.create_task(self._welcome(connected))
            try:
                async for text in socket:
                    self._receive(json.loads(text))
            except ConnectionClosed:
                pass
            finally:
                self._lose(socket)
                greeting.cancel()
                await asyncio.wait([greeting])

    async def _welcome(self, connected: asyncio.Future[None]) -> None:
        try:
            await self._owner.greet()
        except Disconnected:
            return
        except HermesError:  # too many commands: later
            if self._socket is not None:
                await self._socket.close()
            return
        self._failures = 0
        self._ready.set()
        if not connected.done():
            connected.set_result(None)

    def _lose(self, socket: ClientConnection) -> None:
        self._socket = None
        self._ready.clear()
        gone: HermesError = Disconnected("The connection was lost before the answer.")
        if socket.close_code == _DENIED:
            gone = self._end = Denied("The token is not, or no longer, good.")
        elif socket.close_code in _FRAME_TOO_LARGE:
            gone = TooLarge(-32002, "A request was larger than a frame may be.", {})
        for request in self._waiting.values():
            request.fail(gone)

    def _receive(self, frame: dict[str, Any]) -> None:
        if "method" in frame:
            if frame["method"] == "session.event":
                self._owner.hear(frame["params"])
            return
        request = self._waiting.get(frame["id"])
        if request is None or request.result.done():
            return
        if "error" in frame:
            request.fail(refusal(frame["error"]))
        else:
            request.result.set_result(request.take(frame["result"]))
