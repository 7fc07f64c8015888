"""A process that is killed while it summarises a chat: there is one summary or none, and the chat goes on."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import stands_at, stored_turn, within
from tests.turns.summaries import compacted, rows_of
from tests.turns.test_recovery import doomed, silence

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize("point", [pytest.param("asked", marks=pytest.mark.thorough), "stored"])
async def test_a_process_killed_as_it_summarises(
    new_host: NewHost, session: NewSession, provider: Provider, user: Any, point: str
) -> None:
    chat = await session()
    first = await new_host()
    await first.turn(chat, "question 0")
    await first.runner.drain(0)
    gate = Gate()
    provider.script(Answer(["What was said."], gates={0: gate}))
    process = await asyncio.to_thread(doomed, user.pk, chat, "doomed_compaction", point)
    run_id = UUID((await asyncio.to_thread(process.line, "asked")).split()[1])
    await stands_at(gate)
    if point == "stored":
        gate.open()
        await asyncio.to_thread(process.line, "stored")
    await asyncio.to_thread(process.kill)
    gate.open()
    if connection.vendor == "postgresql":
        await silence(run_id, 16)  # a file's lock tells at once, PostgreSQL only by the lease
    host = await new_host()
    await host.runner.supervisor.look()
    for run in host.runner.runs:
        await within(run.ended.wait())
    assert (await stored_turn(run_id)).status == "interrupted"
    assert [row.text for row in await rows_of(chat, "summary")] == ["What was said."] * (point == "stored")
    turn = await host.turn(chat, "go on")
    assert turn.status == "complete"
    assert (b"question 0" in provider.bodies[-1]) == (point == "asked")
    provider.script(Answer(["Once more."]))
    assert (await compacted(host, chat)).status == "complete"
    assert (await rows_of(chat, "summary"))[-1].text == "Once more."
