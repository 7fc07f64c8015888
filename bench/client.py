"""A client of the host: one connection, the contract's frames, nothing of the host's own code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from itertools import count
from time import perf_counter
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

from bench.provider import PLAIN
from bench.timing import Timing
from bench.wire import Wire, connect

# Seconds after which a turn counts as failed.
PATIENCE = 60.0
# What the frames of events and of answers begin with.
_EVENT = b'{"jsonrpc":"2.0","method":"session.event"'
_ANSWER = b'{"jsonrpc":"2.0","id":'


class Asked(Protocol):
    """A question, and the whole answer to it."""

    @property
    def text(self) -> str: ...

    @property
    def answer(self) -> str: ...


class Hearing:
    """One answer as a connection hears it; `ended` is done with it, and False where it failed."""

    def __init__(self, asked: Asked) -> None:
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.first = 0.0
        self._asked = asked
        self._said = ""
        self._run = b""

    def take(self, event: bytes) -> None:
        """An event of the run, or of another process's that is told late."""
        if self._run not in event:
            return
        if b'"type":"TEXT_MESSAGE_CONTENT"' in event:
            self.first = self.first or perf_counter()
            self._said += json.loads(event)["params"]["event"]["delta"]
        elif b'"type":"RUN_FINISHED"' in event:
            self._end(self._said == self._asked.answer)
        elif b'"type":"RUN_ERROR"' in event:
            self._end(whole=False)

    def answered(self, frame: bytes) -> None:
        """The answer to turn.start."""
        told = json.loads(frame)
        if "error" in told:
            self._end(whole=False)
        else:
            self._run = told["result"]["run_id"].encode()

    def _end(self, whole: bool) -> None:
        if not self.ended.done():
            self.ended.set_result(whole)

    async def timing(self, began: float) -> Timing:
        """Wait for the end; not whole where it failed or took a minute."""
        try:
            async with asyncio.timeout(PATIENCE):
                whole = await self.ended
        except TimeoutError:
            return Timing(PATIENCE, PATIENCE, whole=False)
        return Timing(self.first - began if self.first else PATIENCE, perf_counter() - began, whole)


class Client:
    """One user's connection. For one turn at a time."""

    wire: Wire

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token
        self._numbers = count(1)
        self._asked: dict[int, Callable[[bytes], None]] = {}
        self._hearing: Hearing | None = None

    async def __aenter__(self) -> Self:
        self.wire = await connect(self.url, f"Authorization: Bearer {self._token}", self._heard)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.wire.close()

    def _heard(self, frame: bytes) -> None:
        if frame.startswith(_EVENT):
            if self._hearing is not None:
                self._hearing.take(frame)
        elif frame.startswith(_ANSWER):
            self._asked.pop(int(frame[len(_ANSWER) : frame.index(b",", len(_ANSWER))]))(frame)

    def _send(self, method: str, params: dict[str, Any], answered: Callable[[bytes], None]) -> None:
        number = next(self._numbers)
        self._asked[number] = answered
        self.wire.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))

    async def ask(self, method: str, **params: Any) -> tuple[dict[str, Any], int]:
        """The result, and the bytes of its frame."""
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        # Who has given up waiting hears nothing of a late answer.
        self._send(method, params, lambda frame: None if answered.done() else answered.set_result(frame))
        frame = await answered
        result: dict[str, Any] = json.loads(frame)["result"]
        return result, len(frame)

    async def echo(self) -> float:
        """Seconds until the host has answered what needs nothing but its event loop."""
        began, answered = perf_counter(), asyncio.Event()
        self._send("no.such.method", {}, lambda _: answered.set())
        await answered.wait()
        return perf_counter() - began

    async def open_new(self) -> str:
        """Create a session, open it here, and return its id."""
        created, _ = await self.ask("session.create")
        session_id: str = created["session"]["id"]
        await self.ask("session.open", session_id=session_id)
        return session_id

    def hear(self, asked: Asked) -> Hearing:
        """Listen to the next answer in the sessions that this connection has opened, whoever asks for it."""
        self._hearing = Hearing(asked)
        return self._hearing

    async def turn(
        self, session_id: str, asked: Asked = PLAIN, due: float | None = None, files: Sequence[str] = ()
    ) -> Timing:
        """One turn of an open session, to its RUN_FINISHED; timed from `due` (perf_counter), else from now.

        `files` are the ids of those that it is asked with.
        """
        began = perf_counter() if due is None else due
        hearing = self.hear(asked)
        self.say(session_id, asked, hearing.answered, files)
        return await hearing.timing(began)

    async def steer(self, method: str, params: dict[str, Any], asked: Asked) -> Timing:
        """A turn that goes on from an earlier place of an open session, to its RUN_FINISHED."""
        began = perf_counter()
        hearing = self.hear(asked)
        self._send(method, params, hearing.answered)
        return await hearing.timing(began)

    def say(
        self,
        session_id: str,
        asked: Asked,
        answered: Callable[[bytes], None] = lambda _: None,
        files: Sequence[str] = (),
    ) -> None:
        """Ask for a turn, and leave its answer to whoever listens."""
        params: dict[str, Any] = {"session_id": session_id, "text": asked.text, "message_id": str(uuid4())}
        if files:
            params["files"] = list(files)
        self._send("turn.start", params, answered)
