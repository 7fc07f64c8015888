"""A process that is killed while it carries out a decision: a call is made once or not at all, or nobody knows."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from sessions_app import database
from sessions_app.conversations import lost_calls
from sessions_app.models import Turn
from sessions_app.turn_store import approving
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import idle, said, stored_turn
from tests.turns.test_recovery import doomed, silence, taken_over
from tests.turns.tool_server import MailServer, give_tools, sends, serve, stored_approvals

pytestmark = pytest.mark.one_database

CALCULATE = Call("calculator", '{"expression": "6 * 7"}', "s1")
# By the point: how often the call was made, how its approval stands, and what the model is told of it.
POINTS = {
    "decided": (0, "not_made", approving.NOT_MADE),
    "begun": (1, "unknown", lost_calls.UNKNOWN),
    "made": (1, "done", "mail_send done"),
}

# That a process has died PostgreSQL tells by the lease alone: tried once, for each is a process.
ON_POSTGRESQL = (pytest.mark.both_databases, pytest.mark.thorough_on_postgresql)
WHERE = [pytest.param(point, marks=ON_POSTGRESQL if point == "begun" else pytest.mark.thorough) for point in POINTS]


@pytest.mark.parametrize("point", WHERE)
async def test_a_process_killed_as_it_carries_out_a_decision(
    new_host: NewHost, session: NewSession, provider: Provider, user: Any, point: str
) -> None:
    times, state, told = POINTS[point]
    chat, first, server = await session(), await new_host(), MailServer()
    serve(first, server)
    await give_tools(chat)
    provider.script(Answer(["Let me see. "], calls=[sends("Bo", "c1")]))
    await first.turn(chat, "Write to Bo.")
    await idle(first)
    process = await asyncio.to_thread(doomed, user.pk, chat, "doomed_approval", point)
    run_id = UUID((await asyncio.to_thread(process.line, "asked")).split()[1])
    await asyncio.to_thread(process.line, "point")
    await asyncio.to_thread(process.kill)
    if connection.vendor == "postgresql":
        await silence(run_id, 16)  # a file's lock tells at once, PostgreSQL only by the lease
    await taken_over(first, run_id=run_id)
    assert sum("made mail_send" in line for line in process.output) == times
    assert [each.state for each in await stored_approvals()] == [state]
    assert (await stored_turn(run_id)).status == "interrupted"
    assert [text for _, text, _ in await said(chat)][2:] == [told]
    provider.script(Answer(["I see."]))
    assert (await first.turn(chat, "And?")).status == "complete"
    assert server.made == []
    assert extends(provider.bodies[1], provider.bodies[0])


@pytest.mark.thorough
async def test_a_process_killed_amid_a_call_that_needs_nobodys_word(
    new_host: NewHost, session: NewSession, provider: Provider, user: Any
) -> None:
    chat, host, server = await session(), await new_host(), MailServer()
    serve(host, server)
    await give_tools(chat)
    provider.script(Answer(["Let me see. "], calls=[sends("Bo", "c1", "mail_read"), CALCULATE]))
    process = await asyncio.to_thread(doomed, user.pk, chat, "doomed_approval", "allowed")
    await asyncio.to_thread(process.line, "point")
    await asyncio.to_thread(process.kill)
    run_id = (await database.read(Turn.objects.get)).run_id
    if connection.vendor == "postgresql":
        await silence(run_id, 16)
    await taken_over(host, run_id=run_id)
    assert await said(chat) == [
        ("user", "Read it.", "complete"),
        ("assistant", "Let me see. ", "interrupted"),
        ("tool", lost_calls.UNKNOWN, "complete"),
        ("tool", lost_calls.UNKNOWN, "complete"),
    ]
    provider.script(Answer(["I see."]))
    assert (await host.turn(chat, "And?")).status == "complete"
    results = [each["content"] for each in provider.requests[-1].json["messages"] if each["role"] == "tool"]
    assert (results, server.made) == ([lost_calls.UNKNOWN] * 2, [])
