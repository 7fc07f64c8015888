"""A client for HTTP whose every connection is checked (`connecting`).

It is made of public parts of httpx2 and httpcore2 alone: where an upgrade changes one, requests fail, and none goes
unchecked. No proxy of the environment is used: a proxy would look names up itself.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import cast

import httpcore2
import httpx2

from sessions_app.outbound.authorities import public_authorities
from sessions_app.outbound.connecting import CONNECT_SECONDS, CheckedBackend, Rules

IDLE_SECONDS = 10.0
"""How long a server may be silent."""


class NotTrusted(httpx2.ConnectError):
    """No safe connection can be made: a server's certificate does not hold, or it speaks no TLS."""


@asynccontextmanager
async def checked_client(rules: Rules, authorities: ssl.SSLContext | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    """Make a client that follows no redirects by itself. Its requests raise httpx2.HTTPError.

    ``authorities``: what certificates are held against; None for those of the public, which are read from the disk.
    """
    if authorities is None:
        authorities = await asyncio.to_thread(public_authorities)
    transport = CheckedTransport(rules, authorities)
    timeout = httpx2.Timeout(IDLE_SECONDS, connect=CONNECT_SECONDS)
    async with httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False) as client:
        yield client


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Lives as long as its client."""

    def __init__(self, rules: Rules, authorities: ssl.SSLContext) -> None:
        self._pool = httpcore2.AsyncConnectionPool(ssl_context=authorities, network_backend=CheckedBackend(rules))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See `httpx2.AsyncBaseTransport`. The pool is told nothing of a request but what is read here."""
        url = request.url
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=cast(AsyncIterable[bytes], request.stream),
            extensions={"timeout": request.extensions.get("timeout", {})},
        )
        with _errors_of_httpx():
            answer = await self._pool.handle_async_request(asked)
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of_httpx():
            async for piece in self._answer.aiter_stream():
                yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


@contextmanager
def _errors_of_httpx() -> Iterator[None]:
    """Raise errors of httpcore2 as those of the same name that users of httpx2 know."""
    try:
        yield
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
        if _is_of_tls(error):
            raise NotTrusted(str(error)) from error
        kind = getattr(httpx2, type(error).__name__, httpx2.TransportError)
        raise kind(str(error)) from error
    except httpcore2.UnsupportedProtocol as error:
        raise httpx2.UnsupportedProtocol(str(error)) from error


def _is_of_tls(error: BaseException | None) -> bool:
    # The pool of httpcore2 hides the cause of an error; its context is still there.
    return error is not None and (isinstance(error, ssl.SSLError) or _is_of_tls(error.__context__))
