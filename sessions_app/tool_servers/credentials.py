"""Which headers requests to a tool server have."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.urls import reverse

from sessions_app.authorisations.errors import AuthorisationError, NotConnected
from sessions_app.models import ToolServer
from sessions_app.models.sealed import UnreadableSecret
from sessions_app.tool_servers.errors import ToolServerError

if TYPE_CHECKING:
    from types import ModuleType

AUTHORIZATION = "Authorization"
_BEARER = "Bearer "


async def credentials_for(user_id: int, server: ToolServer, refused: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the headers of requests to a server on behalf of a user. Raises ToolServerError.

    It is asked at each call; other headers than before make another connection. ``refused`` are those that the server
    has just taken for no longer good: where each user has an authorisation of their own, fresh ones are fetched.
    """
    headers = own_headers(server)
    if not server.asks_users:
        return headers
    own = {name: value for name, value in headers.items() if name.lower() != AUTHORIZATION.lower()}
    before = (refused or {}).get(AUTHORIZATION, "").removeprefix(_BEARER) or None
    authorisations = await asyncio.to_thread(_authorisations)
    try:
        token = await authorisations.access_token(user_id, server, before)
    except NotConnected:
        raise not_connected(server) from None
    except AuthorisationError as error:
        told = f"The user's authorisation at the tool server {server.name} cannot be used now. {error}"
        raise ToolServerError(told, begun=False) from None
    return {**own, AUTHORIZATION: f"{_BEARER}{token}"}


def not_connected(server: ToolServer) -> ToolServerError:
    """Return what is said where a user has to connect to a server."""
    where = reverse("tool_servers")
    told = f"The tool server {server.name} needs the user's authorisation. The user gives it at {where}"
    return ToolServerError(told, begun=False)


def own_headers(server: ToolServer) -> dict[str, str]:
    """Return the headers that are kept of a server itself. Raises ToolServerError."""
    try:
        return server.headers
    except UnreadableSecret:
        told = f"The headers of the tool server {server.name} cannot be read any more: SECRET_KEY is another one."
        raise ToolServerError(told, begun=False) from None


def _authorisations() -> ModuleType:
    """Load what takes most of a second; a server that nobody has to connect to needs none of it."""
    from sessions_app.authorisations import credentials

    return credentials
