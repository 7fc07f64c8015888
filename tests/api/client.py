"""A JSON-RPC client over Channels' communicator; every frame the server sends is held against its types."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from typing import Any

from channels.testing import WebsocketCommunicator
from pydantic import TypeAdapter

from sessions_app.api.error_data import DATA
from sessions_app.api.events import AccountNotification, SessionEvent
from sessions_app.api.methods import METHODS

# Seconds: only ever spent by a test that fails.
PATIENCE = 120.0
_NOTIFICATIONS: dict[str, TypeAdapter[Any]] = {
    "session.event": TypeAdapter(SessionEvent),
    "account.changed": TypeAdapter(AccountNotification),
}
_DATA: dict[int, TypeAdapter[Any]] = {error.code: TypeAdapter(reduce(or_, kinds)) for error, kinds in DATA.items()}
_CODES = {-32700, -32600, -32601, -32602, -32603, -32001, -32002, -32003, -32004, -32005}


class Closed(Exception):
    """The server closed the connection."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class RpcError(Exception):
    """The server answered with an error; ``frame`` is its text."""

    def __init__(self, error: dict[str, Any], frame: str) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.data: dict[str, Any] = error.get("data", {})
        self.frame = frame

    @property
    def frame_without_id(self) -> str:
        """The text with which any request would have been answered."""
        return re.sub(r'"id":\d+,', "", self.frame)


def check(text: str, asked: dict[Any, str]) -> dict[str, Any]:
    """Return a frame of the server, once it is what the API's description says."""
    frame: dict[str, Any] = json.loads(text)
    assert frame.pop("jsonrpc") == "2.0"
    if "method" in frame:
        assert frame.keys() == {"method", "params"}
        kind = _NOTIFICATIONS[frame["method"]]
        kind.validate_json(json.dumps(frame["params"]), strict=True)
    elif "error" in frame:
        assert frame.keys() == {"id", "error"}
        assert frame["error"].keys() <= {"code", "message", "data"}
        assert frame["error"]["code"] in _CODES
        assert isinstance(frame["error"]["message"], str)
        if data := frame["error"].get("data"):
            _DATA[frame["error"]["code"]].validate_json(json.dumps(data), strict=True)
    else:
        assert frame.keys() == {"id", "result"}
        METHODS[asked[frame["id"]]].result.model_validate_json(json.dumps(frame["result"]), strict=True)
    return frame


class Client:
    """One connection. What comes while an answer is awaited is kept: events, and ``changes`` of what may be used."""

    def __init__(self, application: Any, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._socket = WebsocketCommunicator(application, "/ws/chat/", headers=list(headers))
        self._ids = itertools.count(1)
        self._asked: dict[Any, str] = {}
        self._answers: dict[Any, tuple[dict[str, Any], str]] = {}
        self._batches: list[list[dict[str, Any]]] = []
        self.events: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []

    async def connect(self) -> Client:
        accepted, _ = await self._socket.connect(timeout=PATIENCE)
        assert accepted
        return self

    async def leave(self) -> None:
        """Close from this side, and wait until the consumer has ended."""
        await self._socket.disconnect(timeout=PATIENCE)

    async def vanish(self) -> None:
        """Be cut off, without waiting for what the consumer does about it."""
        await self._socket.send_input({"type": "websocket.disconnect", "code": 1006})

    async def gone(self) -> None:
        """Wait until the consumer has ended."""
        await self._socket.wait(timeout=PATIENCE)

    async def send(self, text: str) -> None:
        """Send a frame as it is."""
        await self._socket.send_to(text_data=text)

    async def send_bytes(self, data: bytes) -> None:
        await self._socket.send_to(bytes_data=data)

    async def ask(self, method: str, **params: Any) -> int:
        """Send a request and return its id, without waiting for the answer."""
        request_id = next(self._ids)
        self._asked[request_id] = method
        await self.send(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
        return request_id

    async def notify(self, method: str, **params: Any) -> None:
        """Send a request without an id: it is never answered."""
        await self.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    async def call(self, method: str, **params: Any) -> Any:
        """Return the result of a request. Raises RpcError."""
        return await self.answer(await self.ask(method, **params))

    async def answer(self, request_id: Any) -> Any:
        """Return the result of the request with this id. Raises RpcError."""
        while request_id not in self._answers:
            await self._next()
        frame, text = self._answers.pop(request_id)
        if "error" in frame:
            raise RpcError(frame["error"], text)
        return frame["result"]

    async def refusal(self, method: str, **params: Any) -> RpcError:
        """Return the error that a request is answered with."""
        return await self._refused(await self.ask(method, **params))

    async def raw(self, text: str, request_id: Any = None) -> RpcError:
        """Send a frame as it is and return the error that answers it, under this id."""
        self._asked[request_id] = ""
        await self.send(text)
        return await self._refused(request_id)

    async def batch(self, *members: Any) -> list[dict[str, Any]]:
        """Send a batch and return the members of the array that answers it, in the order of their ids."""
        self._asked.update({member["id"]: member["method"] for member in members if "id" in member})
        await self.send(json.dumps(members))
        return await self.batch_answer()

    async def batch_answer(self) -> list[dict[str, Any]]:
        """Return the next array of responses, in the order of their ids."""
        while not self._batches:
            await self._next()
        return sorted(self._batches.pop(0), key=lambda frame: str(frame["id"]))

    async def _refused(self, request_id: Any) -> RpcError:
        try:
            result = await self.answer(request_id)
        except RpcError as error:
            return error
        raise AssertionError(f"not refused: {result}")

    async def event(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next event (its params) that is wanted, and drop those before it."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if wanted(event):
                    return event
            await self._next()

    async def fact(self, name: str) -> Any:
        """Return the value of the project's own next fact of this name."""
        event = await self.event(lambda params: params["event"].get("name") == name)
        return event["event"]["value"]

    async def change(self) -> list[str]:
        """Return the features that may be used after the next change."""
        while not self.changes:
            await self._next()
        features: list[str] = self.changes.pop(0)["features"]
        return features

    async def run_ends(self, run_id: str) -> dict[str, Any]:
        """Return the event that ends a run."""
        event = await self.event(
            lambda params: params["run_id"] == run_id and params["event"]["type"] in ("RUN_FINISHED", "RUN_ERROR")
        )
        ending: dict[str, Any] = event["event"]
        return ending

    async def run_ends_anywhere(self, session_id: str, run_id: str) -> None:
        """Wait until a run of a session that is not open here has ended and was counted."""
        while (await self.call("session.open", session_id=session_id))["run"] is not None:
            await self.run_ends(run_id)

    async def closed(self) -> int:
        """Return the code with which the server closes; what comes before is kept."""
        try:
            while True:
                await self._next()
        except Closed as closed:
            return closed.code

    async def _next(self) -> None:
        message = await self._socket.receive_output(timeout=PATIENCE)
        if message["type"] == "websocket.close":
            raise Closed(message["code"])
        if message["text"].startswith("["):
            members = [check(json.dumps(member), self._asked) for member in json.loads(message["text"])]
            self._batches.append(members)
            return
        frame = check(message["text"], self._asked)
        if frame.get("method") == "account.changed":
            self.changes.append(frame["params"])
        elif "method" in frame:
            self.events.append(frame["params"])
        else:
            assert frame["id"] in self._asked, f"nobody asked for {frame}"
            self._answers[frame["id"]] = (frame, message["text"])
