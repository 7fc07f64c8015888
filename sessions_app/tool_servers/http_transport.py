"""Streamable HTTP to a tool server, bounded: no more than MAX_BYTES of one response are read.

An operator names the address, so private ones are allowed; the client of MCP follows no redirect to another origin.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager

import httpx2
from mcp import MCPError
from mcp.client._transport import TransportStreams  # its only name
from mcp.client.streamable_http import LAST_EVENT_ID, streamable_http_client
from mcp_types import INTERNAL_ERROR

from sessions_app.outbound.authorities import site_authorities
from sessions_app.tool_servers.addresses import ServerAddress
from sessions_app.tool_servers.bounds import CLOSE_SECONDS, MAX_BYTES, OPEN_SECONDS, RESUME_SECONDS
from sessions_app.tool_servers.output import Output
from sessions_app.tool_servers.thinning import Thinning, TooMuch

TOO_LARGE = "the response is larger than is read"
"""What the client's own errors say then: it wraps ours in one of its own."""


class TooLarge(httpx2.SSEError, httpx2.StreamError):
    """Of both kinds, because the client answers one of them for JSON and the other for a stream of events."""

    def __init__(self) -> None:
        Exception.__init__(self, TOO_LARGE)


class Refusals:
    """Tells a request that a server refuses for its credentials from all others of a connection.

    The client tells only that a request has failed. So what refuses one is answered to the client in words of ours,
    which no server knows.
    """

    def __init__(self) -> None:
        self._mark = secrets.token_hex()

    def told(self, response: httpx2.Response) -> httpx2.Response:
        """Return a refusal as the client is told it."""
        data = {"status": response.status_code, "challenge": response.headers.get("www-authenticate", "")}
        error = {"code": INTERNAL_ERROR, "message": self._mark, "data": data}
        body = {"jsonrpc": "2.0", "id": None, "error": error}
        return httpx2.Response(response.status_code, json=body)

    def find(self, error: MCPError) -> tuple[int, str] | None:
        """Return the status and the challenge with which the request of this error was refused, if it was."""
        return (error.data["status"], error.data["challenge"]) if error.message == self._mark else None


class _BoundedStream(httpx2.AsyncByteStream):
    """A response as far as it is read; of a stream of events, whole events. Too much also ends the `output`, if any."""

    def __init__(
        self, stream: httpx2.AsyncByteStream, thinning: Thinning, output: Output | None, *, has_events: bool
    ) -> None:
        self._stream = stream
        self._has_events = has_events
        self._thinning = thinning
        self._output = output

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._events() if self._has_events else self._pieces():
                yield piece
        except TooMuch:
            if self._output:
                self._output.end_with_too_much()
            raise TooLarge from None

    async def _pieces(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._thinning.count(len(piece))
            yield piece

    async def _events(self) -> AsyncIterator[bytes]:
        event, line = list[bytes](), list[bytes]()
        async for piece in self._pieces():
            first, *rest = piece.split(b"\n")
            line.append(first)
            for following in rest:
                event.append(b"".join(line) + b"\n")
                line = [following]
                if not event[-1].strip():
                    if not self._thinning.drops(_data_of(event)):
                        yield b"".join(event)
                    event = []
        yield b"".join([*event, *line])

    async def aclose(self) -> None:
        await self._stream.aclose()


def _data_of(event: Iterable[bytes]) -> bytes:
    return b"".join(line[5:] for line in event if line.startswith(b"data:"))


class _BoundedTransport(httpx2.AsyncHTTPTransport):
    """Bounds what is read of each response, and of all those together that bring the rest of an answer.

    The latter are asked for as often as the server likes, also when nobody waits for the answer any more.
    """

    def __init__(self, refusals: Refusals, output: Output) -> None:
        super().__init__(verify=site_authorities())
        self._refusals = refusals
        self._output = output
        self._rest = Thinning()
        self._resuming = asyncio.Lock()
        self._next = 0.0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        resumes = request.method == "GET"
        if resumes:
            if LAST_EVENT_ID not in request.headers:
                # For what a server says unasked. None of it is heeded.
                return httpx2.Response(405)
            await self._wait()
        response = await super().handle_async_request(request)
        if request.method == "POST" and response.status_code in (401, 403):
            await response.aclose()
            return self._refusals.told(response)
        stream = response.stream
        if not isinstance(stream, httpx2.AsyncByteStream) or response.headers.get("content-encoding"):
            # Nothing compressed was asked for: a small answer could unfold to a large one.
            await response.aclose()
            raise httpx2.RemoteProtocolError("the response is encoded", request=request)
        kind = response.headers.get("content-type", "")
        bounds = (self._rest, self._output) if resumes else (Thinning(), None)
        response.stream = _BoundedStream(stream, *bounds, has_events=kind.startswith("text/event-stream"))
        return response

    async def _wait(self) -> None:
        async with self._resuming:
            await asyncio.sleep(self._next - time.monotonic())
            self._next = time.monotonic() + RESUME_SECONDS


def client_of(address: ServerAddress, refusals: Refusals, output: Output, timeout: float) -> httpx2.AsyncClient:
    """Return the client of one connection: ``timeout`` (seconds) bounds the silence within a response."""
    return httpx2.AsyncClient(
        transport=_BoundedTransport(refusals, output),
        headers={**dict(address.headers), "accept-encoding": "identity"},
        timeout=httpx2.Timeout(OPEN_SECONDS, read=timeout + CLOSE_SECONDS),
        trust_env=False,
    )


def http_transport(address: ServerAddress, client: httpx2.AsyncClient) -> AbstractAsyncContextManager[TransportStreams]:
    """Return the streams to and from a server."""
    return streamable_http_client(address.url, http_client=client, max_sse_event_size=MAX_BYTES)
