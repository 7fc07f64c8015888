"""A source of tools as a tool server is, for one process: what may be called now changes while it serves.

It keeps what it was asked to do, and does nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sessions_app import database
from sessions_app.conversations import approvals
from sessions_app.conversations.access import chat_session as session_of
from sessions_app.llm.content.parts import ToolCall
from sessions_app.llm.content.prefix import FrozenPrefix, ToolSpec
from sessions_app.llm.tools.builtin import CALCULATOR, BuiltinTools
from sessions_app.llm.tools.client_tools import definition
from sessions_app.llm.tools.registry import ToolRegistry
from sessions_app.llm.tools.sources import Context, Standing, ToolError, ToolOutput
from sessions_app.models import Approval, ChatSession, Turn
from sessions_app.turn_store.deciding import GivenDecision
from sessions_app.turn_store.message_ids import AcceptedTurn
from tests.providers.script import Call
from tests.turns.host import Host, idle, stored_turn, within

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
TOOLS = ("mail_send", "mail_delete", "mail_read")


class MailServer:
    """`mail_read` needs nobody's word, the others do. A call waits where `holds` is cleared."""

    identity = "https://mail.example"
    has_effects = True

    def __init__(self) -> None:
        self.standings = {"mail_send": Standing.ASK, "mail_delete": Standing.ASK, "mail_read": Standing.ALLOWED}
        self.made: list[tuple[str, str]] = []
        self.began = asyncio.Event()
        self.holds = asyncio.Event()
        self.holds.set()

    def specs(self) -> Iterable[ToolSpec]:
        return [definition(name, f"What {name} does.", SCHEMA) for name in TOOLS]

    def has(self, name: str) -> bool:
        return name in TOOLS

    async def standing(self, context: Context, name: str) -> Standing:
        return self.standings[name]

    async def call(self, context: Context, call: ToolCall) -> ToolOutput:
        if self.standings[call.name] is Standing.OFF:
            raise ToolError(f"the tool {call.name} is switched off.")
        self.made.append((call.name, call.arguments))
        self.began.set()
        await self.holds.wait()
        if "nobody" in call.arguments:
            raise ToolError("there is no such address.")
        return ToolOutput(f"{call.name} done")


def serve(host: Host, server: MailServer) -> None:
    """Have a process's agents use the server's tools, beside the calculator. Before it has any."""
    host.runner.pool._tools = ToolRegistry([BuiltinTools(CALCULATOR), server])


async def give_tools(chat: UUID) -> None:
    """Have a session's model know of the tools."""

    def work() -> None:
        chat_session = ChatSession.objects.get(pk=chat)
        prompt = FrozenPrefix.from_json(chat_session.frozen_prefix).prompt
        prefix = ToolRegistry([BuiltinTools(CALCULATOR), MailServer()]).freeze(prompt, ["calculator", *TOOLS])
        ChatSession.objects.filter(pk=chat).update(frozen_prefix=prefix.to_json())

    await database.write(work)


def sends(to: str, call_id: str = "", tool: str = "mail_send") -> Call:
    """A call that a person must approve."""
    return Call(tool, f'{{ "to":"{to}"}}', call_id)


async def waiting(host: Host, chat: UUID) -> list[Approval]:
    """The approvals that wait at the end of a session's line."""
    return await database.read(_waiting, host.user_id, chat)


def _waiting(user_id: int, chat: UUID) -> list[Approval]:
    return [each.approval for each in approvals.at_end(session_of(user_id, chat))]


async def decide(
    host: Host, chat: UUID, words: Mapping[str, bool], *, note: str = "", always: bool = False
) -> AcceptedTurn:
    """Approve or refuse the calls that wait, by the ids of the calls."""
    ids = {each.tool_call_id: each.public_id for each in await waiting(host, chat)}
    given = [GivenDecision(ids[call], approve, note, always and approve) for call, approve in words.items()]
    return await send(host, chat, given)


async def send(host: Host, chat: UUID, given: Sequence[GivenDecision]) -> AcceptedTurn:
    return await within(host.runner.service.decide(host.user_id, chat, given))


async def decided(host: Host, chat: UUID, words: Mapping[str, bool], **more: Any) -> Turn:
    """Decide, and return the turn that goes on as stored when it has ended and the agent is idle."""
    asked = await decide(host, chat, words, **more)
    await host.listener.end_of(asked.run_id)
    await idle(host)
    return await stored_turn(asked.run_id)


async def stored_approvals() -> list[Approval]:
    return await database.read(lambda: list(Approval.objects.order_by("pk")))
