"""Where a tool server is, and what requests to it carry: all that a connection is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sessions_app.models import ToolServer


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Of one server for one user: a URL with the headers of each request, or a command. Never told: it has secrets."""

    name: str
    url: str
    command: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def address_of(server: ToolServer, headers: Mapping[str, str]) -> ServerAddress:
    """Return the address of a server, with these headers."""
    return ServerAddress(server.name, server.url, server.command, tuple(sorted(headers.items())))
