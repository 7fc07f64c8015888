"""Who is told of the end of a run that nobody runs any more: its owner died, or gave it up."""

from __future__ import annotations

import asyncio

import pytest

from tests.turns.fixtures import NewSession
from tests.turns.host import Host, give_up, stored_turn, within
from tests.turns.tab import SlowSnapshot, Tab
from tests.turns.test_recovery import left_running, silence, taken_over

pytestmark = pytest.mark.one_database


async def test_the_end_of_a_dead_run_that_comes_while_the_transcript_is_read_is_told(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    run_id = await left_running(host.user_id, chat)
    slow = SlowSnapshot(monkeypatch)
    tab = Tab(host.user_id)
    opened = asyncio.create_task(tab.open(host, chat))
    await within(slow.read.wait())
    await host.runner.supervisor.look()
    slow.go.set()
    await within(opened)
    assert tab.result["run"].run_id == run_id
    told = await tab.listener.end_of(run_id)
    assert (told["event"]["code"], told["seq"]) == ("interrupted", None)


async def test_a_failed_opening_opens_nothing(host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = await session()
    run_id = await left_running(host.user_id, chat)
    slow = SlowSnapshot(monkeypatch, fails=True)
    tab = Tab(host.user_id)
    opened = asyncio.create_task(tab.open(host, chat))
    await within(slow.read.wait())
    await host.runner.supervisor.look()
    slow.go.set()
    with pytest.raises(ZeroDivisionError):
        await within(opened)
    assert (await tab.listener.fact("turn.ended"))["status"] == "interrupted"
    assert tab.listener.run(run_id) == []


async def test_the_end_of_a_turn_that_was_given_up_is_told_once(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    run_id = await give_up(host, chat, monkeypatch)
    await silence(run_id, 16)
    await within(taken_over(host, run_id=run_id))
    assert (await stored_turn(run_id)).status == "interrupted"
    await host.listener.end_of(run_id)
    ends = [event["event"]["type"] for event in host.listener.run(run_id) if event["seq"] is None]
    assert ends == ["RUN_ERROR"]


async def test_who_opens_a_session_after_its_owner_gave_its_turn_up_is_told_the_end(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    run_id = await give_up(host, chat, monkeypatch)
    tab = Tab(host.user_id)
    await tab.open(host, chat)
    assert tab.result["run"].run_id == run_id
    await silence(run_id, 16)
    await within(taken_over(host, run_id=run_id))
    assert (await tab.listener.end_of(run_id))["event"]["code"] == "interrupted"
