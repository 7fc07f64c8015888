"""Fetch what stands at an address that a stranger has named: within bounds, following redirects by hand.

Each address on the way is judged as the first was; whatever it leads to, `connecting` has the last word.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import IO

import httpx2

from sessions_app.outbound.client import NotTrusted, checked_client
from sessions_app.outbound.connecting import NotPublic, Rules, UnknownHost

MAX_BYTES = 10_000_000
"""Of a body, decompressed."""

MAX_URL = 2_000
"""Characters of an address."""

MAX_REDIRECTS = 5
SECONDS = 20.0
"""For the whole, from the first look-up to the last byte."""

WEB_PORTS = frozenset({80, 443})
"""Those of web sites. At others, of a public address too, there may listen what was never meant for strangers."""

HEADERS = {
    "user-agent": "HermesSite/1.0 (reads single pages that a user of a chat asks for)",
    "accept": "text/html, application/xhtml+xml, text/*;q=0.9, application/pdf;q=0.8, */*;q=0.5",
    "accept-language": "en, *;q=0.5",
    "accept-encoding": "gzip, deflate",
}
_REDIRECTS = {301, 302, 303, 307, 308}
_PORTS = {"http": 80, "https": 443}


class FetchError(Exception):
    """Nothing was fetched; ``text`` is a sentence that says why, without a word of what the server said."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where a body was found at last, and what its server says that it is; both empty where it does not say."""

    url: str
    media_type: str
    charset: str


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches by these rules. ``authorities``: what certificates are held against; None for those of the public."""

    rules: Rules = field(default_factory=Rules)
    ports: Collection[int] = WEB_PORTS
    authorities: ssl.SSLContext | None = None

    async def fetch(self, url: str, refused: Collection[str], into: IO[bytes]) -> Fetched:
        """Write the body at an address into a file. Raises FetchError.

        ``refused``: beginnings of media types of which no byte is wanted.
        """
        try:
            async with asyncio.timeout(SECONDS), checked_client(self.rules, self.authorities) as client:
                return await self._followed(client, url, refused, into)
        except TimeoutError:
            raise FetchError(f"the page was not there within {SECONDS:g} seconds.") from None
        except httpx2.HTTPError as error:
            raise FetchError(_sentence(error)) from error

    async def _followed(
        self, client: httpx2.AsyncClient, url: str, refused: Collection[str], into: IO[bytes]
    ) -> Fetched:
        target = self.judged(url)
        for _ in range(MAX_REDIRECTS + 1):
            async with client.stream("GET", target, headers=HEADERS) as response:
                if response.status_code not in _REDIRECTS or "location" not in response.headers:
                    return await _body(response, refused, into)
                target = self.judged(_joined(target, response.headers["location"]))
        raise FetchError(f"the address leads on to others, more than {MAX_REDIRECTS} times.")

    def judged(self, url: str) -> httpx2.URL:
        """Return an address that may be asked. Raises FetchError."""
        if len(url) > MAX_URL:
            raise FetchError(f"the address has more than {MAX_URL:,} characters.")
        try:
            parsed = httpx2.URL(url)
        except (httpx2.InvalidURL, ValueError):
            raise FetchError("this is no web address.") from None
        if parsed.scheme not in _PORTS or not parsed.host:
            raise FetchError("only addresses that begin with http:// or https:// are read.")
        if parsed.userinfo:
            raise FetchError("an address with a user name or a password is not read.")
        if (parsed.port or _PORTS[parsed.scheme]) not in self.ports:
            raise FetchError("only the ports of web sites, 80 and 443, are asked.")
        return parsed


def _joined(url: httpx2.URL, location: str) -> str:
    try:
        return str(url.join(location))
    except (httpx2.InvalidURL, ValueError):
        raise FetchError("the server leads on to what is no web address.") from None


async def _body(response: httpx2.Response, refused: Collection[str], into: IO[bytes]) -> Fetched:
    if not response.is_success:
        raise FetchError(f"the server answered with the status {response.status_code}.")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type.startswith(tuple(refused)):
        raise FetchError(f"what stands there ({media_type[:50]}) is no text.")
    size = 0
    async with aclosing(response.aiter_bytes()) as pieces:
        async for piece in pieces:
            size += len(piece)
            if size > MAX_BYTES:
                raise FetchError(f"the page is larger than {MAX_BYTES // 1_000_000} MB.")
            into.write(piece)
    return Fetched(str(response.url), media_type, response.charset_encoding or "")


def _sentence(error: httpx2.HTTPError) -> str:
    """Say what was wrong on the way, of our own words alone."""
    match error:
        case UnknownHost() | NotPublic():
            # One sentence for both: which names the host's own network has is no stranger's business.
            return "the address leads to no public host."
        case httpx2.TimeoutException():
            return "the server did not answer in time."
        case NotTrusted():
            return "the server's certificate does not hold, or it speaks no TLS."
        case httpx2.ConnectError():
            return "the server cannot be reached."
        case httpx2.DecodingError():
            return "what the server sent is damaged."
        case _:
            return "the server broke off, or spoke no HTTP."
