"""Streamable HTTP to a tool server, bounded: no more than MAX_BYTES of one response are read.

An operator names the address, so private ones are allowed; the client of MCP follows no redirect to another origin.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import cache
from ssl import SSLContext

import httpx2
from mcp.client._transport import TransportStreams  # its only name
from mcp.client.streamable_http import streamable_http_client

from sessions_app.tool_servers.addresses import ServerAddress
from sessions_app.tool_servers.bounds import CLOSE_SECONDS, MAX_BYTES, OPEN_SECONDS

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
def _ssl_context() -> SSLContext:
    # Made once: reading the certificates takes 20 ms.
    return httpx2.create_ssl_context()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream
        self._read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._read += len(piece)
            if self._read > MAX_BYTES:
                raise TooLarge
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class _BoundedTransport(httpx2.AsyncHTTPTransport):
    """Bounds what is read of each response, and notes who is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(verify=_ssl_context())
        self._refusal = refusal

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if response.status_code in (401, 403):
            self._refusal.status = response.status_code
            self._refusal.challenge = response.headers.get("www-authenticate", "")
        stream = response.stream
        if not isinstance(stream, httpx2.AsyncByteStream) or response.headers.get("content-encoding"):
            # Nothing compressed was asked for: a small answer could unfold to a large one.
            await response.aclose()
            raise httpx2.RemoteProtocolError("the response is encoded", request=request)
        response.stream = _BoundedStream(stream)
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
