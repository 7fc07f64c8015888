"""The loopback provider's HTTP side: asyncio streams and h11, keep-alive, one answer per request."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import h11

from . import anthropic, chat, responses
from .events import Event, Mark
from .script import Answer, Call, numbered, words
from .tokens import BreakpointCache, Counted, PromptCache

WIRES: dict[str, ModuleType] = {
    "/v1/chat/completions": chat,
    "/v1/responses": responses,
    "/v1/messages": anthropic,
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came: the raw body, key order and all."""

    path: str
    headers: dict[str, str]
    body: bytes
    answered: Future[bool] = field(default_factory=Future)
    """Whether the whole answer could be sent; False if somebody hung up. Await `asyncio.wrap_future` of it."""

    @property
    def json(self) -> dict[str, Any]:
        """The body, parsed."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


class CutError(Exception):
    """The script drops the connection here."""


class Server:
    """Answers requests from `queue`, in order; when it is empty, with what `default` makes.

    With `keeps_limits` an answer has no more words than the request wants tokens of it. `totals` are the tokens of each
    request and its answer, all in all, and `counts` those of the request. `seconds` is
    the clock of Anthropic's cache: it stands still until a test moves it.
    """

    def __init__(self, default: Callable[[], Answer] = lambda: Answer(words=words(5))) -> None:
        self.default = default
        self.queue: deque[Answer] = deque()
        self.requests: list[Recorded] = []
        self.totals: list[int] = []
        self.counts: list[Counted] = []
        self.seconds = 0.0
        self.keeps_limits = False
        openai = PromptCache()
        self._caches: dict[ModuleType, PromptCache | BreakpointCache] = {
            chat: openai,
            responses: openai,
            anthropic: BreakpointCache(lambda: self.seconds),
        }
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> int:
        """Listen on a loopback port (0: any) and return it."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def evict(self) -> None:
        """Forget every prompt."""
        for cache in self._caches.values():
            cache.forget()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            # A client may die in the middle of a request. Cancelled only by `stop`; asyncio would report a cancelled
            # connection as an error.
            with suppress(ConnectionError, h11.RemoteProtocolError, CutError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = h11.Connection(h11.SERVER)
        while True:
            recorded = await _receive(wire, reader)
            if recorded is None:
                return
            self.requests.append(recorded)
            answer = self.queue.popleft() if self.queue else self.default()
            if self.keeps_limits:
                _shorten(answer, recorded.json)
            try:
                await self._answer(recorded, answer, wire, writer)
            finally:
                recorded.answered.set_result(wire.our_state is h11.DONE)
            if wire.our_state is not h11.DONE:
                return
            wire.start_next_cycle()

    async def _answer(
        self, recorded: Recorded, answer: Answer, wire: h11.Connection, writer: asyncio.StreamWriter
    ) -> None:
        module = WIRES[recorded.path.partition("?")[0]]
        if answer.hangs_up:
            raise CutError
        if answer.status != 200:
            body = json.dumps(answer.body or module.failure("The script says so.")).encode()
            headers = {"content-type": "application/json", "content-length": str(len(body))} | answer.headers
            await _send(wire, writer, h11.Response(status_code=answer.status, headers=list(headers.items())))
            await _send(wire, writer, h11.Data(body), h11.EndOfMessage())
            return
        if answer.raw is not None:
            await _send_raw(wire, writer, answer, answer.raw)
            return
        answer.calls = [Call(call.name, call.arguments, call.id or numbered("call")) for call in answer.calls]
        counted = self._caches[module].count(recorded.json)
        self.counts.append(counted)
        self.totals.append(counted.prompt + len(answer.words) + len(answer.reasoning) + len(answer.calls))
        head = [("content-type", "text/event-stream"), ("transfer-encoding", "chunked")]
        await _send(wire, writer, h11.Response(status_code=200, headers=head))
        asked = recorded.json | ({"model": None} if answer.nameless else {})
        for event in module.stream(answer, asked, counted):
            if isinstance(event, Mark):
                if answer.error == event.index:
                    await _send(wire, writer, h11.Data(module.broken("The script says so.").encode()))
                    break
                if answer.end == event.index:
                    break
                await _hold(answer, event.index)
            else:
                assert isinstance(event, Event)
                data = event.encode()
                await _send(wire, writer, h11.Data(data.replace(b"\n", b"\r\n") if answer.crlf else data))
        await _send(wire, writer, h11.EndOfMessage())


def _shorten(answer: Answer, body: dict[str, Any]) -> None:
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    if limit is not None and limit < len(answer.words):
        answer.words, answer.is_cut = answer.words[:limit], True


async def _send_raw(wire: h11.Connection, writer: asyncio.StreamWriter, answer: Answer, chunks: list[bytes]) -> None:
    headers = {"content-type": "text/event-stream", "transfer-encoding": "chunked"} | answer.headers
    await _send(wire, writer, h11.Response(status_code=200, headers=list(headers.items())))
    for index, chunk in enumerate([*chunks, b""]):
        await _hold(answer, index)
        await _send(wire, writer, h11.Data(chunk))
    await _send(wire, writer, h11.EndOfMessage())


async def _hold(answer: Answer, index: int) -> None:
    if answer.cut == index:
        raise CutError
    if answer.silent == index:
        await asyncio.Event().wait()
    if gate := answer.gates.get(index):
        await gate.stand()
    if answer.pause:
        await asyncio.sleep(answer.pause)


async def _receive(wire: h11.Connection, reader: asyncio.StreamReader) -> Recorded | None:
    """The next request, or None at the connection's end."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert request is not None
            headers = {name.decode(): value.decode() for name, value in request.headers}
            return Recorded(request.target.decode(), headers, bytes(body))
        else:
            return None


async def _send(wire: h11.Connection, writer: asyncio.StreamWriter, *events: h11.Event) -> None:
    for event in events:
        if data := wire.send(event):
            writer.write(data)
    await writer.drain()
