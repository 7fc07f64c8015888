"""Send one event to the address of a webhook: to public addresses alone, and to networks that the host allows.

The address is checked where the connection is made (``outbound``). No redirect is followed, and little of an answer is
read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network, ip_address

import httpx2

from sessions_app.outbound.addresses import is_public
from sessions_app.outbound.client import NotTrusted, checked_client
from sessions_app.outbound.connecting import CONNECT_SECONDS, NotPublic, Rules, UnknownHost
from sessions_app.webhooks.outcomes import MAX_ANSWER, Outcome

SECONDS = 20.0
"""For an attempt, from the look-up of the name to the answer's head; its first bytes get no more."""

MOST_RETRY_AFTER = 86_400
"""Seconds that a receiver may ask to be left alone for."""

_REDIRECTS = range(300, 400)


@asynccontextmanager
async def client(networks: Collection[IPv4Network | IPv6Network]) -> AsyncIterator[httpx2.AsyncClient]:
    """Make a client that connects to public addresses, and to those in ``networks``."""

    def may_connect(address: str, port: int) -> bool:
        return is_public(address) or any(ip_address(address) in network for network in networks)

    async with checked_client(Rules(may_connect)) as made:
        yield made


async def send(using: httpx2.AsyncClient, url: str, body: str, headers: Mapping[str, str]) -> Outcome:
    """Post an event, and return what came of it. Never raises but when cancelled."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(SECONDS):
            status, answer, retry_after = await _posted(using, url, body, headers)
    except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Outcome(None, _since(began), error=_sentence(error))
    leads_on = "It leads on to another address, which is not followed." if status in _REDIRECTS else ""
    return Outcome(status, _since(began), answer, leads_on, retry_after)


async def _posted(using: httpx2.AsyncClient, url: str, body: str, headers: Mapping[str, str]) -> tuple[int, str, int]:
    timeout = httpx2.Timeout(SECONDS, connect=CONNECT_SECONDS)
    async with using.stream("POST", url, content=body.encode(), headers=dict(headers), timeout=timeout) as response:
        answer = b""
        async for piece in response.aiter_raw():
            answer += piece
            if len(answer) >= MAX_ANSWER:
                break
        asked = response.headers.get("retry-after", "")
        retry_after = min(int(asked), MOST_RETRY_AFTER) if asked.isdecimal() and len(asked) < 10 else 0
        return response.status_code, _readable(answer), retry_after


def _readable(answer: bytes) -> str:
    text = answer[:MAX_ANSWER].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _sentence(error: Exception) -> str:
    match error:
        case NotPublic():
            return "The address leads to no public host, and to no network that HERMES_WEBHOOK_NETWORKS allows."
        case UnknownHost():
            return "The address's name leads nowhere."
        case TimeoutError() | httpx2.TimeoutException():
            return f"There was no answer within {SECONDS:g} seconds."
        case NotTrusted():
            return "The server's certificate does not hold, or it speaks no TLS."
        case httpx2.ConnectError():
            return "The server cannot be reached."
        case _:
            return "The server broke off, or spoke no HTTP."
