"""A process that is killed after it has stored calls of a client's tools: their results go to another one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.client_tools import asks, bring, resumed, waiting
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import guard_of, said
from tests.turns.test_recovery import doomed

pytestmark = pytest.mark.one_database


async def test_results_go_to_another_process_after_a_kill(
    new_host: NewHost, session: NewSession, provider: Provider, user: Any
) -> None:
    chat, host = await session(), await new_host()
    await bring(host, chat, "weather")
    own = Call("calculator", '{"expression": "6 * 7"}')
    provider.script(Answer(["See: "], calls=[asks("Bonn", "c1"), own, asks("Rome", "c2")]), Answer(["Sunny."]))
    process = await asyncio.to_thread(doomed, user.pk, chat, "doomed_call")
    await asyncio.to_thread(process.line, "stored")
    await asyncio.to_thread(process.kill)
    assert await waiting(host, chat) == ["c1", "c2"]
    await host.show(chat)
    turn = await resumed(host, chat, {"c1": "sun", "c2": "rain"})
    assert (turn.status, guard_of(turn)) == ("complete", ("built", "read", "first turn here"))
    assert [text for _, text, _ in await said(chat)] == ["Weather?", "See: ", "42", "sun", "rain", "Sunny."]
    assert extends(provider.bodies[1], provider.bodies[0])
