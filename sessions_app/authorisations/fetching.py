"""Requests to addresses that a tool server names: bounded in where they go, in time and in size.

An operator has set the tool server's own address; all others come from it, and could be made to lead inside. So they
have TLS and lead to public addresses (``outbound``), but where the tool server itself is inside: then its authorisation
server may be, too. Redirections are not followed. Nothing of an answer is shown to anybody.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import httpx2

from sessions_app.authorisations.errors import AuthorisationError
from sessions_app.outbound.addresses import is_public
from sessions_app.outbound.client import checked_client
from sessions_app.outbound.connecting import Rules, look_up

SECONDS = 10.0
"""The longest that one answer takes, all in all."""
MAX_BYTES = 100_000
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a tool server's address lets us go."""

    address: str

    def check(self, address: str) -> None:
        """Refuse an address that may not be asked, nor a user be led to. Raises AuthorisationError."""
        try:
            own, named = urlsplit(self.address), urlsplit(address)
            is_sound = named.username is None and bool(named.hostname)
            if is_sound and (named.scheme == "https" or _origin(named) == _origin(own)):
                return
        except ValueError:
            is_sound = False
        if not (is_sound and named.scheme == "http" and _is_loopback(named.hostname) and _is_loopback(own.hostname)):
            raise AuthorisationError("The tool server names an address that is not asked: it has no https.")

    async def rules(self, address: str) -> Rules:
        """Return what a request to an address may connect to. Raises OSError."""
        own = urlsplit(self.address)
        if _origin(urlsplit(address)) == _origin(own):
            return Rules(may_connect=lambda *_: True)
        found = await look_up(own.hostname or "", _origin(own)[2] or 0)
        return Rules() if any(map(is_public, found)) else Rules(may_connect=lambda *_: True)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


async def fetch(reach: Reach, request: httpx2.Request) -> httpx2.Response:
    """Return the answer to a request, whole. Raises AuthorisationError: none in time, too long, not to be asked."""
    address = str(request.url)
    reach.check(address)
    # What is compressed could be larger than it looks.
    request.headers["Accept-Encoding"] = "identity"
    try:
        async with asyncio.timeout(SECONDS), checked_client(await reach.rules(address)) as client:
            return await _whole(await client.send(request, stream=True))
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
        raise AuthorisationError(f"{request.url.host} does not answer.") from error


async def _whole(response: httpx2.Response) -> httpx2.Response:
    body = bytearray()
    try:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                raise AuthorisationError("The authorisation server's answer is too long.")
    finally:
        await response.aclose()
    kept = {name: value for name, value in response.headers.items() if name != "content-encoding"}
    return httpx2.Response(response.status_code, headers=kept, content=bytes(body), request=response.request)
