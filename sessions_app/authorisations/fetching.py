"""Requests to addresses that a tool server names: bounded in where they go, in time and in size.

An operator has set the tool server's own address; all others come from it, and could be made to lead inside. So they
must have TLS, which nothing inside has by chance, or be where the operator's own address already is. Redirections are
not followed. Nothing of an answer is shown to anybody.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import httpcore2  # noqa: F401  # or httpx2 would load it, and the certificates, in the event loop
import httpx2

from sessions_app.authorisations.errors import AuthorisationError

SECONDS = 10.0
"""The longest that one answer takes, all in all."""
MAX_BYTES = 100_000
_TLS = httpx2.create_ssl_context()
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a tool server's address lets us go."""

    address: str

    def check(self, address: str) -> None:
        """Refuse an address that may not be asked, nor a user be led to. Raises AuthorisationError."""
        if not self._allows(address):
            raise AuthorisationError("The tool server names an address that is not asked: it has no https.")

    def _allows(self, address: str) -> bool:
        try:
            own, named = urlsplit(self.address), urlsplit(address)
            if named.username is not None or not named.hostname:
                return False
            if named.scheme == "https" or _origin(named) == _origin(own):
                return True
        except ValueError:
            return False
        return named.scheme == "http" and _is_loopback(named.hostname) and _is_loopback(own.hostname or "")


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def fetch(reach: Reach, request: httpx2.Request) -> httpx2.Response:
    """Return the answer to a request, whole. Raises AuthorisationError: none in time, too long, not to be asked."""
    reach.check(str(request.url))
    # What is compressed could be larger than it looks.
    request.headers["Accept-Encoding"] = "identity"
    try:
        async with asyncio.timeout(SECONDS), _client() as client:
            return await _whole(await client.send(request, stream=True))
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
        raise AuthorisationError("The authorisation server does not answer.") from error


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(verify=_TLS, follow_redirects=False, timeout=SECONDS)


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
