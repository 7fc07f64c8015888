"""The text so far, kept on the turn: what a process leaves behind that dies."""

from __future__ import annotations

from typing import Any

import pytest

from sessions_app.turns import supervisor
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, said, stands_at, stored_turn, within
from tests.turns.test_recovery import fall_silent, taken_over

pytestmark = pytest.mark.one_database


async def test_a_turn_that_had_said_nothing_leaves_no_empty_answer(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    owner, other = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    chat = await session()
    asked = await owner.ask(chat)
    await stands_at(gate)
    await fall_silent(owner, asked.run_id)
    await within(taken_over(other, run_id=asked.run_id))
    assert await said(chat) == [("user", "hello", "complete")]
    assert (await stored_turn(asked.run_id)).status == "interrupted"


async def test_the_checkpoint_is_of_the_answer_under_way(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(
        Answer(["Let me see. "], calls=[Call("calculator", '{"expression": "1+1"}')]),
        Answer(["Two", "."], gates={1: gate}),
    )
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    await host.listener.until(lambda event: event["event"].get("delta") == "Two")
    revision = (await host.open(chat))["session"].revision
    await host.runner.supervisor.beat()
    turn = await stored_turn(asked.run_id)
    assert turn.checkpoint == "Two"
    assert str(turn.answer_id) != str((await host.open(chat))["messages"][1].id)
    # It is kept on the turn: nothing under the guard has changed.
    assert (await host.open(chat))["session"].revision == revision
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert (await stored_turn(asked.run_id)).checkpoint == ""


@pytest.mark.both_databases
async def test_a_checkpoint_that_could_not_be_written_is_written_by_the_next_beat(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")

    def away(_: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(supervisor, "beat", away)
        with pytest.raises(ZeroDivisionError):
            await host.runner.supervisor.beat()
    await host.runner.supervisor.beat()
    assert (await stored_turn(asked.run_id)).checkpoint == "One "
    gate.open()
    await host.listener.end_of(asked.run_id)
