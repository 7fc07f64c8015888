"""Who is at the other end: behind a reverse proxy that the operator trusts, what the proxy says."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from hermes_site.environment import Network

_WITH_PORT = re.compile(r"\[(?P<six>[0-9A-Fa-f:.]+)\](?::\d+)?|(?P<four>\d+(?:\.\d+){3}):\d+")


def unmapped(address: str) -> str:
    """An address in its own family: who comes by IPv4 to a socket of IPv6 has one that is mapped (::ffff:1.2.3.4)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return str(mapped or parsed)


def trusts(networks: Sequence[Network], address: str) -> bool:
    """Whether an address is that of a trusted proxy."""
    try:
        parsed = ipaddress.ip_address(unmapped(address))
    except ValueError:
        return False
    return any(parsed in network for network in networks)


class TrustedProxy:
    """ASGI middleware: takes client and scheme from X-Forwarded-For and X-Forwarded-Proto, sent by a trusted peer.

    From anybody else the two headers mean nothing. The client is the last address that is not itself a proxy's; a port
    behind it is left out. The peer's own address is unmapped here, so that whatever is behind knows one form of it.
    """

    def __init__(self, application: Any, networks: Sequence[Network]) -> None:
        self.application = application
        self.networks = networks

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        host, port = scope.get("client") or ["", 0]
        scope = {**scope, "client": [unmapped(host), port]} if host else scope
        if self.networks and trusts(self.networks, host):
            scope = {**scope, **self._told(dict(scope["headers"]), scope["type"])}
        await self.application(scope, receive, send)

    def _told(self, headers: dict[bytes, bytes], kind: str) -> dict[str, Any]:
        told: dict[str, Any] = {}
        hops = [_address(hop) for hop in headers.get(b"x-forwarded-for", b"").decode("latin1").split(",")]
        if client := next((hop for hop in reversed(hops) if hop and not trusts(self.networks, hop)), None):
            told["client"] = [client, 0]
        if headers.get(b"x-forwarded-proto", b"").strip().lower() == b"https":
            told["scheme"] = "wss" if kind == "websocket" else "https"
        return told


def _address(hop: str) -> str:
    """The address of one entry: `1.2.3.4`, `1.2.3.4:567`, `::1`, `[::1]`, `[::1]:567`."""
    hop = hop.strip()
    if match := _WITH_PORT.fullmatch(hop):
        hop = match["six"] or match["four"]
    return unmapped(hop)
