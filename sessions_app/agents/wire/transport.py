"""The transport beneath the SDKs: sends what a splice says, and hands the answer on in canonical form."""

from __future__ import annotations

from contextlib import aclosing
from urllib.request import getproxies, proxy_bypass

import httpx2

from .answer import AnswerStream
from .anthropic import AnthropicReader
from .chat import ChatReader
from .compression import decompressed
from .decoder import AnswerDecoder
from .reading import Reader, RedirectedError
from .responses import ResponsesReader
from .splicing import Splice, splice

READERS: dict[str, type[Reader]] = {
    "chat/completions": ChatReader,
    "responses": ResponsesReader,
    "messages": AnthropicReader,
}
"""How a wire's address ends → who reads its answers."""

REDIRECTS = {307, 308}
"""Statuses that ask for the same request at another address. Any other one would have it become a GET."""
MAX_REDIRECTS = 5

BYTES_PER_CHARACTER = 12
"""The longest escape of a character in JSON: a surrogate pair."""
OVERHEAD_BYTES = 1024 * 1024
"""Of one event, beside the text of the answer: signatures, encrypted reasoning."""

MAX_REFUSAL = 1024 * 1024
"""Bytes of an error that are read: a few hundred say all."""

_BODY = {b"content-length", b"transfer-encoding", b"content-encoding"}


class SplicingTransport(httpx2.AsyncBaseTransport):
    """Lives as long as its client. Requests without a splice pass as they are."""

    inner: httpx2.AsyncHTTPTransport

    def connect(self, base_url: str, limits: httpx2.Limits) -> None:
        """Make the connection pool, through the proxy that the environment names for this address.

        Reads certificates from disk: not for the event loop.
        """
        url = httpx2.URL(base_url)
        proxy = None if proxy_bypass(url.host) else getproxies().get(url.scheme)
        self.inner = httpx2.AsyncHTTPTransport(limits=limits, proxy=proxy)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See the module."""
        current = splice.get()
        if current is None:
            return await self.inner.handle_async_request(request)
        body = current.body(await request.aread())
        if current.rehearsal:
            return httpx2.Response(418, request=request)
        response = await self._sent(request, body)
        return await _refusal(response) if response.is_error else _in_canonical_form(request, response, current)

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


async def _refusal(response: httpx2.Response) -> httpx2.Response:
    """An error, read up to its bound."""
    body = b""
    async with aclosing(decompressed(response)) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > MAX_REFUSAL:
                break
    await response.aclose()
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _BODY]
    return httpx2.Response(response.status_code, headers=headers, content=body)


def _in_canonical_form(request: httpx2.Request, response: httpx2.Response, current: Splice) -> httpx2.Response:
    path = request.url.path.rstrip("/")
    reader = next((reader for end, reader in READERS.items() if path.endswith(end)), None)
    if reader is None:
        return response
    current.answer = reader()
    decoder = AnswerDecoder(current.answer, BYTES_PER_CHARACTER * current.max_answer + OVERHEAD_BYTES)
    stream = AnswerStream(response, decoder, on_bytes=current.on_bytes, on_words=current.on_words)
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in {*_BODY, b"content-type"}]
    return httpx2.Response(
        200,
        headers=[*headers, (b"content-type", b"text/event-stream")],
        stream=stream,
        extensions=response.extensions,
    )
