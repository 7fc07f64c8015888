"""What a tool server lists, judged before it is stored: a schema that no provider takes would spoil sessions."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.tools.client_tools import ToolDefinitionError, definition
from sessions_app.models import ToolServer
from sessions_app.tool_servers.addresses import address_of
from sessions_app.tool_servers.bounds import OPEN_SECONDS
from sessions_app.tool_servers.connections import connection_type

if TYPE_CHECKING:
    from mcp_types import Tool

MAX_NAME = 200
"""Characters of a server's own name for a tool."""

UNSEEN = "Its description or its arguments have characters that nobody sees, which models read."
_JOINERS_AND_SPACES = "\t\n\r\u200c\u200d"
"""Emojis and scripts such as Persian have the joiners."""
_SELECTORS = frozenset(map(chr, range(0xE0100, 0xE01F0)))
"""Of which there are as many as there are bytes."""


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as a server lists it now; ``problem`` says why it cannot be used, empty for one that can."""

    name: str
    description: str
    parameters: str
    problem: str = ""


async def listed(server: ToolServer, headers: Mapping[str, str]) -> list[OfferedTool]:
    """Ask a server for its tools, over a connection of its own, and return them by name. Raises ToolServerError.

    ``headers`` are the credentials; nothing is stored (``offers.record`` does). Of tools with one name all but the
    first by their definitions are left out.
    """
    made_by = await asyncio.to_thread(connection_type)
    connection = made_by(address_of(server, headers), timeout=OPEN_SECONDS)
    try:
        tools = await connection.listed()
    finally:
        await connection.close()
    return await asyncio.to_thread(offered, tools)


def offered(tools: list[Tool]) -> list[OfferedTool]:
    """Return what tools are offered, in an order that does not depend on the server's."""
    judged = sorted((_judged(tool) for tool in tools), key=lambda tool: (tool.name, tool.parameters, tool.description))
    named = {tool.name: tool for tool in reversed(judged)}
    return [named[name] for name in sorted(named)]


def _judged(tool: Tool) -> OfferedTool:
    name, description = tool.name, tool.description or tool.title or ""
    try:
        # Its own name may hold what no provider takes: models are told another.
        spec = definition("tool", description, tool.input_schema)
    except ToolDefinitionError as error:
        return OfferedTool(_stored(name), "", "", error.text.replace(" of tool ", " ")[:400])
    return OfferedTool(_stored(name), spec.description, spec.parameters, _problem_of(name, spec))


def _problem_of(name: str, spec: ToolSpec) -> str:
    """Say why a definition that a provider would take cannot be used all the same; empty for one that can."""
    if not name or name != _stored(name):
        return "Its name cannot be kept."
    schema = json.dumps(json.loads(spec.parameters), ensure_ascii=False)
    return UNSEEN if any(map(_is_unseen, spec.description + schema)) else ""


def _is_unseen(character: str) -> bool:
    """Whether a model reads what no operator sees, or sees in another order than it stands in."""
    if character in _JOINERS_AND_SPACES:
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Co") or character in _SELECTORS


def _stored(name: str) -> str:
    return name.encode(errors="replace").decode().replace("\0", "?")[:MAX_NAME]
