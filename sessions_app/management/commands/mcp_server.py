"""`manage.py mcp_server NAME …`: make a tool server, or change one, and print what it offers.

What is given is what is so afterwards, so that an operator can keep it in a script; but groups stay that are not given
anew, and so do headers, as long as they go to the same place. What the server offers is taken as it is now.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from sessions_app.llm.tools.client_tools import ToolDefinitionError
from sessions_app.management.groups import groups_named
from sessions_app.models import AgentProfile, ToolServer, ToolServerTool, ToolStanding
from sessions_app.models.profiles import origin_of
from sessions_app.tool_servers import offers
from sessions_app.tool_servers.credentials import own_headers
from sessions_app.tool_servers.errors import ToolServerError
from sessions_app.tool_servers.headers import HeaderError, header_of
from sessions_app.tool_servers.listing import OfferedTool, listed
from sessions_app.tool_servers.trying import wants_users


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


class Command(BaseCommand):
    help = "Make a tool server (MCP), or change one, and print the tools that it offers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--url", default="", help="Of a server that speaks MCP over HTTP.")
        way.add_argument(
            "--command",
            dest="program",
            default="",
            help="What this host runs, with its own rights, for a server that speaks MCP on standard input and output.",
        )
        parser.add_argument(
            "--header",
            action="append",
            metavar='"NAME: VALUE"',
            help="Of each request to it, kept encrypted; may be repeated. Empty: none. Not given: as before.",
        )
        parser.add_argument("--profiles", type=_names, required=True, help="Whose new sessions have its tools.")
        parser.add_argument(
            "--groups",
            type=_names,
            help="Whose members may call its tools. Empty: everybody. Not given: as before.",
        )
        parser.add_argument("--allow", type=_names, default=[], help="Tools that the model may call as it likes.")
        parser.add_argument("--ask", type=_names, default=[], help="Tools that a person is asked for.")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        server = ToolServer.objects.filter(name=name).first() or ToolServer(name=name)
        profiles, groups = _profiles(options["profiles"]), groups_named(options["groups"])
        if both := set(options["allow"]) & set(options["ask"]):
            raise CommandError(f"The tool {min(both)} is both allowed and asked for.")
        _change(server, options)
        offered, problem = self._offered(server)
        with transaction.atomic():
            server.save()
            server.profiles.set(profiles)
            if groups is not None:
                server.groups.set(groups)
            if offered is not None:
                offers.record(server, offered)
            _switch(server, options["allow"], options["ask"], is_known=offered is not None)
        self._print(server)
        if problem:
            raise CommandError(f"{problem} What was given is stored; of its tools, what was known before.")

    def _offered(self, server: ToolServer) -> tuple[list[OfferedTool] | None, str]:
        """Ask the server for its tools: None, and why, where it does not tell."""
        headers: dict[str, str] = {}
        try:
            headers = own_headers(server)
            return asyncio.run(listed(server, headers)), ""
        except ToolServerError as error:
            if not wants_users(error, headers):
                return None, str(error)
            server.asks_users = True
            return None, f"{error} Each user gives it an authorisation of their own; list its tools in the admin."

    def _print(self, server: ToolServer) -> None:
        for tool in server.tools.order_by("full_name"):
            self.stdout.write(f"{tool.full_name}\t{tool.standing}\t{_note(tool)}")


def _note(tool: ToolServerTool) -> str:
    if tool.problem:
        return f"cannot be used: {tool.problem}"
    first = tool.description.strip().partition("\n")[0]
    return first if tool.is_offered else f"not offered any more: {first}"


def _profiles(names: list[str]) -> list[AgentProfile]:
    AgentProfile.default()  # a new site has none before somebody comes
    found = list(AgentProfile.objects.filter(name__in=names))
    if missing := set(names) - {profile.name for profile in found}:
        raise CommandError(f"There is no profile {', '.join(map(repr, sorted(missing)))}.")
    return found


def _change(server: ToolServer, options: dict[str, Any]) -> None:
    """Set what is given of the server itself; nothing is saved. Raises CommandError."""
    before, server.url, server.command = server.url, options["url"], options["program"]
    server.asks_users = server.asks_users and server.url == before
    try:
        server.full_clean()
        if options["header"] is not None:
            server.keep_headers(dict(header_of(text) for text in options["header"] if text.strip()))
        elif server.sealed_headers and not (server.url and origin_of(before) == origin_of(server.url)):
            raise CommandError("The headers that are kept are for another address: give --header again.")
    except ValidationError as error:
        raise CommandError(" ".join(text for texts in error.message_dict.values() for text in texts)) from None
    except HeaderError as error:
        raise CommandError(f"--header: {error}") from None
    if server.command and server.sealed_headers:
        raise CommandError("A server with a command gets no headers.")


def _switch(server: ToolServer, allow: list[str], ask: list[str], *, is_known: bool) -> None:
    """Let these tools be called, and no others. Raises CommandError, where what the server offers is known."""
    named = {ToolStanding.ALLOWED: allow, ToolStanding.ASK: ask}
    own = {word: tool.name for tool in server.tools.all() for word in (tool.full_name, tool.name)}
    unknown = [name for names in named.values() for name in names if name not in own]
    if unknown and is_known:
        offered = ", ".join(sorted(tool.name for tool in server.tools.all())) or "no tool"
        raise CommandError(f"There is no tool {', '.join(map(repr, unknown))}. The server offers {offered}.")
    standings = {own[name]: standing for standing, names in named.items() for name in names if name in own}
    try:
        offers.switch(server, standings)
    except ToolDefinitionError as error:
        raise CommandError(error.text) from None
