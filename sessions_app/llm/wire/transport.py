"""The transport beneath the SDKs: sends what a splice says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.request import getproxies, proxy_bypass

import httpx2

from sessions_app.llm.wire.errors import RedirectedError
from sessions_app.llm.wire.splicing import Splice, splice
from sessions_app.outbound.authorities import site_authorities

REDIRECTS = {307, 308}
"""Statuses that ask for the same request at another address. Any other one would have it become a GET."""
MAX_REDIRECTS = 5


Answered = Callable[[httpx2.Request, httpx2.Response, Splice], Awaitable[httpx2.Response]]


class SplicingTransport(httpx2.AsyncBaseTransport):
    """Lives as long as its client. Requests without a splice pass as they are.

    `answered` makes of the response to a spliced request what the SDK is to read.
    """

    inner: httpx2.AsyncHTTPTransport

    def __init__(self, answered: Answered) -> None:
        self._answered = answered

    def connect(self, base_url: str, limits: httpx2.Limits) -> None:
        """Make the connection pool, through the proxy that the environment names for this address.

        Reads certificates from disk, for the first: not for the event loop.
        """
        url = httpx2.URL(base_url)
        proxy = None if proxy_bypass(url.host) else getproxies().get(url.scheme)
        self.inner = httpx2.AsyncHTTPTransport(verify=site_authorities(), limits=limits, proxy=proxy)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See the module."""
        current = splice.get()
        if current is None:
            return await self.inner.handle_async_request(request)
        body = current.body(await request.aread())
        if not current.is_sent:
            return httpx2.Response(418, request=request)
        response = await self._sent(request, body)
        return await self._answered(request, response, current)

    async def _sent(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        """The answer to the request with this body, behind redirections within the same origin.

        Whoever stands at another origin gets no key and no prompt. Raises RedirectedError.
        """
        url = request.url
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
        for _ in range(MAX_REDIRECTS):
            made = httpx2.Request(request.method, url, headers=headers, content=body, extensions=request.extensions)
            response = await self.inner.handle_async_request(made)
            response.request = made
            if response.status_code not in REDIRECTS or "location" not in response.headers:
                return response
            await response.aclose()
            target = _joined(url, response.headers["location"])
            if target is None or _origin(target) != _origin(url):
                break
            url = target
        raise RedirectedError

    async def aclose(self) -> None:
        """Close the connections."""
        await self.inner.aclose()


def _joined(url: httpx2.URL, location: str) -> httpx2.URL | None:
    """Where a redirection leads; None where that is no address."""
    try:
        return url.join(location)
    except httpx2.InvalidURL:
        return None


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
