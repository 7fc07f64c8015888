"""What tests of summaries ask: a small window, long messages, and what the provider was asked for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sessions_app import database
from sessions_app.llm.content.summaries import INSTRUCTION
from sessions_app.models import AgentProfile, Message
from sessions_app.turn_store.message_ids import AcceptedTurn
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.host import Host, stands_at, stored_turn, within

WINDOW = 4_000
SUMMARY = "What was said."
LONG = "So many words that they take some room. " * 40


async def set_window(tokens: int | None) -> None:
    """Say what the default profile's window holds."""

    def write() -> None:
        AgentProfile.default()
        AgentProfile.objects.update(context=tokens)

    await database.write(write)


def summaries_asked(provider: Provider) -> list[bytes]:
    """The requests for a summary."""
    return [body for body in provider.bodies if INSTRUCTION[:60].encode() in body]


async def rows_of(session_id: UUID, kind: str | None = None) -> list[Message]:
    """The messages of a session by position, of one kind if that is given."""

    def read() -> list[Message]:
        rows = Message.objects.filter(chat_session=session_id).order_by("position")
        return list(rows if kind is None else rows.filter(kind=kind))

    return await database.read(read)


async def compacted(host: Host, session_id: UUID) -> Any:
    """Have a chat summarised; the turn as stored when it has ended."""
    await host.show(session_id)
    asked = await within(host.runner.service.compact(host.user_id, session_id))
    await host.listener.end_of(asked.run_id)
    return await stored_turn(asked.run_id)


async def held_at(host: Host, session_id: UUID, provider: Provider, *after: Answer) -> tuple[AcceptedTurn, Gate]:
    """Have a chat summarised, and return while the provider stands before its first word, with the gate to open.

    ``after`` are the answers that follow.
    """
    gate = Gate()
    provider.script(Answer([SUMMARY], gates={0: gate}), *after)
    await host.show(session_id)
    asked = await within(host.runner.service.compact(host.user_id, session_id))
    await stands_at(gate)
    return asked, gate
