"""A tool server that does what it should not, in the loop of the test: what it does is the name of the tool called.

It speaks the older protocol, with a session. `written` is how many bytes of answers it got rid of.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

HUNDRED_MB = 100_000_000
_PIECE = b"x" * 65_536
OBJECT = {"type": "object", "properties": {}}


class HostileServer:
    """`tools` is what it lists, in pages of `page`; `challenge` refuses all requests with that, `forbidden` those of
    these methods; `is_deaf` takes no cancellation; `stream` is what a GET brings, None for nothing. `resumed` is when
    each GET came that asked for the rest of an answer, `opened` how many others came. `traces` are those that requests
    have named."""

    def __init__(self) -> None:
        self.tools: list[dict[str, Any]] = [{"name": "echo", "inputSchema": OBJECT}]
        self.page = 10_000
        self.session = "one"
        self.is_deaf = False
        self.challenge = ""
        self.forbidden: set[str] = set()
        self.stream: bytes | None = None
        self.resumed: list[float] = []
        self.opened = 0
        self.written = 0
        self.calls: list[str] = []
        self.traces: list[str] = []
        self.cancelled = asyncio.Event()
        self.reached = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Yield the address."""
        server = self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
        finally:
            server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def stop_listening(self) -> None:
        """Take no more connections; those that are there go on."""
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            await self._heard(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _heard(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                message = json.loads(body) if body else {}
                if trace := message.get("params", {}).get("_meta", {}).get("traceparent"):
                    self.traces.append(trace)
                await self._answer(head.split(" ")[0], fields, message, writer)

    async def _answer(self, verb: str, fields: dict[str, str], message: Any, writer: asyncio.StreamWriter) -> None:
        if self.challenge:
            await _send(writer, b"", "401 Unauthorized", extra=f"WWW-Authenticate: {self.challenge}\r\n")
        elif verb == "GET" and self.stream is not None:
            if "last-event-id" in fields:
                self.resumed.append(asyncio.get_running_loop().time())
            else:
                self.opened += 1
            await _send(writer, self.stream, kind="text/event-stream")
        elif message.get("method") in self.forbidden:
            await _send(writer, b"", "403 Forbidden")
        elif verb != "POST":
            await _send(writer, b"", "405 Method Not Allowed")
        elif fields.get("mcp-session-id", self.session) != self.session:
            await _send(writer, b"", "404 Not Found")
        elif "id" not in message:
            if message["method"] == "notifications/cancelled":
                self.cancelled.set()
                if self.is_deaf:
                    await asyncio.Event().wait()
            await _send(writer, b"", "202 Accepted")
        else:
            await self._asked(message["method"], message["id"], message.get("params", {}), writer)

    async def _asked(self, method: str, request_id: Any, params: Any, writer: asyncio.StreamWriter) -> None:
        match method:
            case "initialize":
                told = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": _INFO}
                await _send(writer, _result(request_id, told), extra=f"Mcp-Session-Id: {self.session}\r\n")
            case "tools/list":
                await _send(writer, _result(request_id, self._page(int(params.get("cursor", 0)))))
            case "tools/call":
                self.calls.append(params["name"])
                await self._called(params["name"], request_id, params, writer)
            case _:
                await _send(writer, _json({"id": request_id, "error": {"code": -32601, "message": "no"}}))

    def _page(self, start: int) -> dict[str, Any]:
        end = start + self.page
        following = {"nextCursor": str(end)} if end < len(self.tools) else {}
        return {"tools": self.tools[start:end], **following}

    async def _called(self, name: str, request_id: Any, params: Any, writer: asyncio.StreamWriter) -> None:
        match name:
            case "never":
                self.reached.set()
                await asyncio.Event().wait()
            case "large":
                writer.write(_head("200 OK", "application/json", HUNDRED_MB))
                await self._pour(writer, _PIECE)
            case "flood":
                writer.write(_head("200 OK", "text/event-stream", HUNDRED_MB))
                told = {"progressToken": params["_meta"]["progressToken"], "progress": 1}
                message = _json({"method": "notifications/progress", "params": told})
                await self._pour(writer, (b"event: message\ndata: " + message + b"\n\n") * 100)
            case "cut":
                writer.write(_head("200 OK", "application/json", 1_000) + b'{"jsonrpc"')
                writer.close()
            case _:
                body, *more = ANSWERS.get(name, (_result(ANY, TOLD),))
                await _send(writer, body.replace(json.dumps(ANY).encode(), json.dumps(request_id).encode()), *more)

    async def _pour(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        while self.written < HUNDRED_MB:
            writer.write(piece)
            await writer.drain()
            self.written += len(piece)


ANY = "any id"
"""Stands for the id of the request."""
TOLD = {"content": [{"type": "text", "text": "said"}]}
_INFO = {"name": "hostile", "version": "1"}


def _json(message: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode()


def _result(request_id: Any, result: dict[str, Any]) -> bytes:
    return _json({"id": request_id, "result": result})


def _head(status: str, kind: str, length: int, extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{extra}\r\n".encode()


async def _send(
    writer: asyncio.StreamWriter,
    body: bytes,
    status: str = "200 OK",
    kind: str = "application/json",
    extra: str = "",
) -> None:
    writer.write(_head(status, kind, len(body), extra) + body)
    await writer.drain()


_ERROR = {"id": ANY, "error": {"code": -32000, "message": "a\nb " * 500}}
ANSWERS: dict[str, tuple[Any, ...]] = {
    "garbage": (b'{"jsonrpc": "2.0", "id": ',),
    "deep": (b"[" * 100_000,),
    "page": (b"<html>", "200 OK", "text/html"),
    "wrong": (_result(ANY, {"content": "no list"}),),
    "other id": (_result(9_999, TOLD),),
    "zipped": (b"x", "200 OK", "application/json", "Content-Encoding: gzip\r\n"),
    "elsewhere": (b"", "307 Temporary Redirect", "text/plain", "Location: http://127.0.0.1:1/mcp\r\n"),
    "resumes": (b"id: 1\nretry: 0\ndata:\n\n", "200 OK", "text/event-stream"),
    "astray": (b"", "307 Temporary Redirect", "text/plain", "Location: http://[/\r\n"),
    "wordy": (_json(_ERROR), "400 Bad Request"),
}
"""What is answered to calls, whatever they ask: body, status, type and further fields."""
