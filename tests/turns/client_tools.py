"""A session whose client has brought tools of its own, and the results that it sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sessions_app import database
from sessions_app.conversations import access, waiting_calls
from sessions_app.llm.content.prefix import ToolSpec
from sessions_app.llm.tools.client_tools import collected, definition
from sessions_app.models import Turn
from sessions_app.session_store import client_tools
from sessions_app.turn_store.message_ids import AcceptedTurn
from sessions_app.turn_store.resuming import CallResult
from tests.providers.script import Call
from tests.turns.host import Host, idle, stored_turn, within

WEATHER: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def tools(*names: str) -> tuple[ToolSpec, ...]:
    return collected(definition(name, f"What {name} does.", WEATHER) for name in names)


async def bring(host: Host, chat: UUID, *names: str) -> bool:
    """Have a session's client bring tools of these names."""

    def work() -> bool:
        chat_session = access.chat_session(host.user_id, chat, lock=True)
        return client_tools.bring(chat_session, tools(*names))

    return await database.write(work)


def asks(city: str, call_id: str = "") -> Call:
    """A call of the client's tool."""
    return Call("weather", f'{{ "city":"{city}"}}', call_id)


async def waiting(host: Host, chat: UUID) -> list[str]:
    """The ids of the calls that wait at the end of a session's line."""
    return await database.read(waiting_ids, host.user_id, chat)


def waiting_ids(user_id: int, chat: UUID) -> list[str]:
    found = waiting_calls.at_end(access.chat_session(user_id, chat))
    return [call.id for call in found.calls] if found else []


async def resume(host: Host, chat: UUID, results: Mapping[str, str]) -> AcceptedTurn:
    """Send results; the turn goes on."""
    given = [CallResult(call_id, text) for call_id, text in results.items()]
    return await within(host.runner.service.resume(host.user_id, chat, given))


async def resumed(host: Host, chat: UUID, results: Mapping[str, str]) -> Turn:
    """Send results, and return the turn as stored when it has ended and the agent is idle."""
    asked = await resume(host, chat, results)
    await host.listener.end_of(asked.run_id)
    await idle(host)
    return await stored_turn(asked.run_id)
