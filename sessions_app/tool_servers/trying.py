"""An operator asks a tool server for its tools: what it offers, or in words why it does not, in the caller's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from sessions_app.models import ToolServer
from sessions_app.tool_servers import offers
from sessions_app.tool_servers.credentials import AUTHORIZATION, credentials_for
from sessions_app.tool_servers.errors import ToolServerError, Unauthorized
from sessions_app.tool_servers.listing import OfferedTool, listed

MAX_FAILURE = 400
"""Characters that are stored of why a server could not be asked."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a server offers now; ``failure`` says why it could not be asked, empty where it could.

    ``asks_users``: that is because it wants to know whose calls they are.
    """

    tools: tuple[OfferedTool, ...] = ()
    failure: str = ""
    asks_users: bool = False


def try_server(user_id: int, server: ToolServer, headers: Mapping[str, str] | None = None) -> Tried:
    """Ask a server for its tools, with the operator's own authorisation where it wants one; nothing is stored.

    ``headers`` are those of a form, in place of those that are kept.
    """
    return asyncio.run(_tried(user_id, server, headers))


def list_again(user_id: int, server: ToolServer) -> Tried:
    """Ask a server for its tools, and store what it offers, or why it could not be asked."""
    tried = try_server(user_id, server)
    changed = ToolServer.objects.filter(pk=server.pk)
    if tried.failure:
        changed.update(failure=tried.failure[:MAX_FAILURE], failed_at=timezone.now())
    else:
        with transaction.atomic():
            offers.record(server, tried.tools)
            changed.update(failure="", failed_at=None)
    if tried.asks_users:
        changed.update(asks_users=True)
    return tried


def wants_users(error: ToolServerError, headers: Mapping[str, str]) -> bool:
    """Tell whether a server has refused because it wants an authorisation of each user (MCP's authorisation)."""
    says_who = any(name.lower() == AUTHORIZATION.lower() for name in headers)
    return isinstance(error, Unauthorized) and error.challenge.lower().startswith("bearer") and not says_who


async def _tried(user_id: int, server: ToolServer, headers: Mapping[str, str] | None) -> Tried:
    sent = headers or {}
    try:
        if headers is None:
            sent = await credentials_for(user_id, server)
        return Tried(tuple(await listed(server, sent)))
    except ToolServerError as error:
        if wants_users(error, sent):
            told = f"The tool server {server.name} wants to know whose calls they are."
            return Tried(failure=told, asks_users=True)
        return Tried(failure=str(error))
