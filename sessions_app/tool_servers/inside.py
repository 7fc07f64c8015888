"""Whether a tool server is the operator's own: a program of this host, or inside, where no public address leads to."""

from __future__ import annotations

from urllib.parse import urlsplit

from sessions_app.outbound.addresses import is_public
from sessions_app.outbound.connecting import look_up
from sessions_app.tool_servers.addresses import ServerAddress

_HTTPS = 443


async def is_own(address: ServerAddress) -> bool:
    """Tell whether a server is the operator's own; of a name that leads nowhere it is not."""
    if address.command:
        return True
    parts = urlsplit(address.url)
    try:
        found = await look_up(parts.hostname or "", parts.port or _HTTPS)
    except OSError:
        return False
    return bool(found) and not any(map(is_public, found))
