"""Connections to checked addresses.

A name is looked up once, and the connection is made to one of the very addresses that were checked: a second answer of
the name's server, which may differ, is never asked for. However a host is spelt (`127.1`, `0x7f000001`, `localhost.`),
what counts is the address that the system makes of it. Every connection of a client passes here, so also those of
redirects. TLS is still held against the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore2
import httpx2

from sessions_app.outbound.addresses import is_public

LOOKUPS = 4
"""Names that are looked up at once in this process: a server of names that is slow on purpose holds no other thread."""

ADDRESSES = 4
"""Of one name that are tried."""

CONNECT_SECONDS = 5.0
"""For each of them."""

LookUp = Callable[[str, int], Awaitable[list[str]]]
"""`await look_up(host, port)`: the addresses of a host, in the order in which they are to be tried. Raises OSError."""


class UnknownHost(httpx2.ConnectError):
    """A name has no address."""


class NotPublic(httpx2.ConnectError):
    """A host has no address that may be connected to."""


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(LOOKUPS, thread_name_prefix="names")


async def look_up(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a host. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_threads(), _asked, host, port)
    return list(dict.fromkeys(found))


def _asked(host: str, port: int) -> list[str]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(address[0]) for *_, address in answers]


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be connected to, by address and port, and how names are looked up."""

    may_connect: Callable[[str, int], bool] = lambda address, port: is_public(address)
    look_up: LookUp = look_up


class _Stream(httpcore2.AsyncNetworkStream):
    """A connection that is closed where its handshake is given up; httpcore2 leaves it open where that is cancelled."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore2's
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Connects where the rules allow it. Raises UnknownHost, NotPublic."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """See the module. ``timeout`` (seconds) is that of each address."""
        failure: Exception = NotPublic(f"{host} leads to no public address")
        for address in (await self._allowed(host, port))[:ADDRESSES]:
            try:
                made = await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
                return _Stream(made)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _allowed(self, host: str, port: int) -> list[str]:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                addresses = await self._rules.look_up(host, port)
        except (OSError, UnicodeError) as error:  # a time-out among them
            raise UnknownHost(f"{host} has no address") from error
        return [address for address in addresses if self._rules.may_connect(address, port)]

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Refuse: no stranger names a socket of this machine."""
        raise NotPublic("a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait between two attempts."""
        await self._network.sleep(seconds)
