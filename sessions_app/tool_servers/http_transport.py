"""Streamable HTTP to a tool server, bounded: no more than MAX_BYTES of one response are read.

An operator names the address, so private ones are allowed; the client of MCP follows no redirect to another origin.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from functools import cache
from ssl import SSLContext

import httpx2
from mcp.client._transport import TransportStreams  # its only name
from mcp.client.streamable_http import streamable_http_client

from sessions_app.tool_servers.addresses import ServerAddress
from sessions_app.tool_servers.bounds import CLOSE_SECONDS, MAX_BYTES, OPEN_SECONDS
from sessions_app.tool_servers.thinning import Thinning, TooMuch

TOO_LARGE = "the response is larger than is read"
"""What the client's own errors say then: it wraps ours in one of its own."""


class TooLarge(httpx2.SSEError, httpx2.StreamError):
    """Of both kinds, because the client answers one of them for JSON and the other for a stream of events."""

    def __init__(self) -> None:
        Exception.__init__(self, TOO_LARGE)


class Refusal:
    """The last status with which a server has refused a request of a connection, and its challenge."""

    def __init__(self) -> None:
        self.status = 0
        self.challenge = ""


@cache
def ssl_context() -> SSLContext:
    """Return what connections are made with, made once: it reads files, which takes 20 ms, so not in the event loop."""
    return httpx2.create_ssl_context()


class _BoundedStream(httpx2.AsyncByteStream):
    """A response as far as it is read; of a stream of events, whole events."""

    def __init__(self, stream: httpx2.AsyncByteStream, *, has_events: bool) -> None:
        self._stream = stream
        self._has_events = has_events
        self._thinning = Thinning()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._events() if self._has_events else self._pieces():
                yield piece
        except TooMuch:
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
    """Bounds what is read of each response, and notes who is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(verify=ssl_context())
        self._refusal = refusal

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if request.method == "POST" and response.status_code in (401, 403):
            self._refusal.status = response.status_code
            self._refusal.challenge = response.headers.get("www-authenticate", "")
        stream = response.stream
        if not isinstance(stream, httpx2.AsyncByteStream) or response.headers.get("content-encoding"):
            # Nothing compressed was asked for: a small answer could unfold to a large one.
            await response.aclose()
            raise httpx2.RemoteProtocolError("the response is encoded", request=request)
        kind = response.headers.get("content-type", "")
        response.stream = _BoundedStream(stream, has_events=kind.startswith("text/event-stream"))
        return response


def client_of(address: ServerAddress, refusal: Refusal, timeout: float) -> httpx2.AsyncClient:
    """Return the client of one connection: ``timeout`` (seconds) bounds the silence within a response."""
    return httpx2.AsyncClient(
        transport=_BoundedTransport(refusal),
        headers={**dict(address.headers), "accept-encoding": "identity"},
        timeout=httpx2.Timeout(OPEN_SECONDS, read=timeout + CLOSE_SECONDS),
        trust_env=False,
    )


def http_transport(address: ServerAddress, client: httpx2.AsyncClient) -> AbstractAsyncContextManager[TransportStreams]:
    """Return the streams to and from a server."""
    return streamable_http_client(address.url, http_client=client, max_sse_event_size=MAX_BYTES)
