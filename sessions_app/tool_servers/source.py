"""The source of tool servers' tools: whether one may be called says its row at that time; calls go to its server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from sessions_app import database
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.content.unicode import clean
from sessions_app.llm.tools.sources import Context, Progress, Standing, ToolError, ToolOutput
from sessions_app.models import ToolServerTool
from sessions_app.tool_servers import permitted
from sessions_app.tool_servers.addresses import address_of
from sessions_app.tool_servers.bounds import MAX_PROGRESS_CHARACTERS
from sessions_app.tool_servers.connections import Connections
from sessions_app.tool_servers.credentials import credentials_for, not_connected
from sessions_app.tool_servers.errors import ToolServerError, Unauthorized
from sessions_app.tool_servers.permitted import FORBIDDEN
from sessions_app.tool_servers.results import output_of

if TYPE_CHECKING:
    from mcp.shared.dispatcher import ProgressFnT


class ToolServers:
    """Lives as long as the agents of a process; `close` it after them. `timeout` (seconds) bounds a call."""

    identity = "tool servers"
    has_effects = True

    def __init__(self, timeout: float) -> None:
        self._connections = Connections(timeout)

    def specs(self) -> Iterable[ToolSpec]:
        """See `ToolSource`: none that a profile names. It has those of its servers (`definitions`)."""
        return ()

    def has(self, name: str) -> bool:
        """See `ToolSource`: whatever no other source has; asked last, so that it need not know its tools."""
        return True

    async def standing(self, context: Context, name: str) -> Standing:
        """See `ToolSource`: as the operator has set it; off where the server is not for the user."""
        found = await _find(context.user_id, name)
        return Standing.OFF if found is None else found.standing

    async def call(self, context: Context, call: ToolCall) -> ToolOutput:
        """See `ToolSource`."""
        found = await _find(context.user_id, call.name)
        if found is None:
            raise ToolError(f"there is no tool {call.name!r}.")
        if not found.is_permitted:
            raise ToolError(f"the tool {call.name} was not called: {FORBIDDEN}")
        if found.standing is Standing.OFF:
            raise ToolError(f"the tool {call.name} is switched off.")
        arguments = _arguments_of(call)
        try:
            return await self._call(context, found.tool, arguments)
        except ToolServerError as error:
            raise ToolError(str(error)) from error

    async def _call(self, context: Context, tool: ToolServerTool, arguments: dict[str, Any]) -> ToolOutput:
        report = _reporter(context)
        headers = await credentials_for(context.user_id, tool.server)
        address = address_of(tool.server, headers)
        was_open = self._connections.has(context.user_id, address)
        try:
            async with self._connections.use(context.user_id, address) as connection:
                return output_of(await connection.call(tool.name, arguments, report))
        except ToolServerError as error:
            asks_user = isinstance(error, Unauthorized) and tool.server.asks_users
            if error.begun or not (was_open or asks_user):
                raise
        # The server has run nothing of this call: it was started anew since the last one, or knows the user no longer.
        if asks_user:
            address = address_of(tool.server, await credentials_for(context.user_id, tool.server, refused=headers))
        try:
            async with self._connections.use(context.user_id, address) as connection:
                return output_of(await connection.call(tool.name, arguments, report))
        except Unauthorized as error:
            raise (not_connected(tool.server) if tool.server.asks_users else error) from None

    async def sweep(self) -> None:
        """Close connections that were not used for long."""
        await self._connections.sweep()

    async def close(self) -> None:
        """Close all connections, and end the processes of servers."""
        await self._connections.close()


def _reporter(context: Context) -> ProgressFnT:
    async def report(progress: float, total: float | None, message: str | None) -> None:
        if isfinite(progress) and isfinite(total or 0):
            word = clean(message)[:MAX_PROGRESS_CHARACTERS] if message else None
            context.report(Progress(progress, total, word))

    return report


@dataclass(frozen=True, slots=True)
class _FoundTool:
    """A tool, and whether its server is for the user who is asked for."""

    tool: ToolServerTool
    is_permitted: bool

    @property
    def standing(self) -> Standing:
        """Whether it may be called for that user now."""
        is_on = self.tool.server.enabled and self.is_permitted
        return Standing(self.tool.standing) if is_on else Standing.OFF


async def _find(user_id: int, name: str) -> _FoundTool | None:
    return await database.of(user_id).read(_read, user_id, name)


def _read(user_id: int, name: str) -> _FoundTool | None:
    tool = ToolServerTool.objects.select_related("server").filter(full_name=name).first()
    return None if tool is None else _FoundTool(tool, permitted.may_use(user_id, tool.server_id))


def _arguments_of(call: ToolCall) -> dict[str, Any]:
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise ToolError("the arguments are no JSON object.")
    return arguments
