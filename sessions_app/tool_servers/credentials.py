"""Which headers requests to a tool server have."""

from __future__ import annotations

from sessions_app.models import ToolServer
from sessions_app.models.sealed import UnreadableSecret
from sessions_app.tool_servers.errors import ToolServerError


async def credentials_for(user_id: int, server: ToolServer) -> dict[str, str]:
    """Return the headers of requests to a server on behalf of a user. Raises ToolServerError.

    It is asked at each call; other headers than before make another connection.
    """
    return own_headers(server)


def own_headers(server: ToolServer) -> dict[str, str]:
    """Return the headers that are kept of a server itself. Raises ToolServerError."""
    try:
        return server.headers
    except UnreadableSecret:
        told = f"The headers of the tool server {server.name} cannot be read any more: SECRET_KEY is another one."
        raise ToolServerError(told, begun=False) from None
