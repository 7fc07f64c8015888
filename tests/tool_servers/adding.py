"""Tool servers, added as an operator adds them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sessions_app import database
from sessions_app.models import AgentProfile, ToolServer, ToolServerTool, ToolStanding
from sessions_app.tool_servers import offers
from sessions_app.tool_servers.credentials import own_headers
from sessions_app.tool_servers.listing import OfferedTool, listed


async def ask(server: ToolServer) -> list[OfferedTool]:
    """What a server lists; asked in a thread, as by the admin."""
    return await asyncio.to_thread(lambda: asyncio.run(listed(server, own_headers(server))))


async def add_server(
    name: str,
    url: str = "",
    *,
    command: str = "",
    allow: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> ToolServer:
    """Add a server whose tools new sessions of the default profile have; `allow` are the tools that are allowed."""
    server = ToolServer(name=name, url=url, command=command)
    server.keep_headers(dict(headers or {}))
    tools = await ask(server)

    def store() -> None:
        server.save()
        server.profiles.add(AgentProfile.default())
        offers.record(server, tools)
        offers.switch(server, dict.fromkeys(allow, ToolStanding.ALLOWED))

    await database.write(store)
    return server


async def set_standing(full_name: str, standing: ToolStanding) -> None:
    """Set the standing of one tool."""
    await database.write(lambda: ToolServerTool.objects.filter(full_name=full_name).update(standing=standing))
