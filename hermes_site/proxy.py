"""Who is at the other end: behind a reverse proxy that the operator trusts, what the proxy says."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from hermes_site.environment import Network


class TrustedProxy:
    """ASGI middleware: takes client and scheme from X-Forwarded-For and X-Forwarded-Proto, sent by a trusted peer.

    From anybody else the two headers mean nothing. The client is the last address that is not itself a proxy's.
    """

    def __init__(self, application: Any, networks: Sequence[Network]) -> None:
        self.application = application
        self.networks = networks

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if self.networks and self._trusted((scope.get("client") or [""])[0]):
            scope = {**scope, **self._told(dict(scope["headers"]), scope["type"])}
        await self.application(scope, receive, send)

    def _told(self, headers: dict[bytes, bytes], kind: str) -> dict[str, Any]:
        told: dict[str, Any] = {}
        hops = [hop.strip() for hop in headers.get(b"x-forwarded-for", b"").decode("latin1").split(",")]
        if client := next((hop for hop in reversed(hops) if hop and not self._trusted(hop)), None):
            told["client"] = [client, 0]
        if headers.get(b"x-forwarded-proto", b"").strip().lower() == b"https":
            told["scheme"] = "wss" if kind == "websocket" else "https"
        return told

    def _trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)
