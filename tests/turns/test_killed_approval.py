"""A process that is killed while it carries out a decision: a call is made once or not at all, or nobody knows."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from sessions_app.turn_store import approving
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import idle, said, stored_turn
from tests.turns.test_recovery import doomed, silence, taken_over
from tests.turns.tool_server import MailServer, give_tools, sends, serve, stored_approvals

# By the point: how often the call was made, how its approval stands, and what the model is told of it.
POINTS = {
    "decided": (0, "not_made", approving.NOT_MADE),
    "begun": (1, "unknown", approving.UNKNOWN),
    "made": (1, "done", "mail_send done"),
}


@pytest.mark.parametrize("point", POINTS)
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
