"""Who is told of the end of a run that nobody runs any more: its owner died, or gave it up."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from tests.turns.fixtures import NewSession
from tests.turns.host import Host, stored_turn, within
from tests.turns.tab import SlowView, Tab
from tests.turns.test_recovery import left_running, silence, taken_over


async def given_up(host: Host, session_id: UUID, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A turn that its owner has left to recovery, and told so."""

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(type(host.runner.pool), "lease", broken)
    run_id = (await host.ask(session_id)).run_id
    await host.listener.end_of(run_id)
    return run_id


async def test_the_end_of_a_dead_run_that_comes_while_the_transcript_is_read_is_told(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    run_id = await left_running(host.user_id, chat)
    slow = SlowView(monkeypatch)
    tab = Tab(host.user_id)
    opened = asyncio.create_task(tab.open(host, chat))
    await within(slow.read.wait())
    await host.runner._keeper.look()
    slow.go.set()
    await within(opened)
    assert tab.result["run"].run_id == run_id
    told = await tab.listener.end_of(run_id)
    assert (told["event"]["code"], told["seq"]) == ("interrupted", None)


async def test_a_failed_opening_opens_nothing(host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = await session()
    run_id = await left_running(host.user_id, chat)
    slow = SlowView(monkeypatch, fails=True)
    tab = Tab(host.user_id)
    opened = asyncio.create_task(tab.open(host, chat))
    await within(slow.read.wait())
    await host.runner._keeper.look()
    slow.go.set()
    with pytest.raises(ZeroDivisionError):
        await within(opened)
    assert tab.listener.facts() == ["message.created", "message.created", "session.updated"]
    assert tab.listener.run(run_id) == []


async def test_the_end_of_a_turn_that_was_given_up_is_told_once(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    run_id = await given_up(host, chat, monkeypatch)
    await silence(run_id, 16)
    await within(taken_over(host, run_id=run_id))
    assert (await stored_turn(run_id)).status == "interrupted"
    assert [event["event"]["type"] for event in host.listener.run(run_id)] == ["RUN_ERROR"]


async def test_who_opens_a_session_after_its_owner_gave_its_turn_up_is_told_the_end(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    run_id = await given_up(host, chat, monkeypatch)
    tab = Tab(host.user_id)
    await tab.open(host, chat)
    assert tab.result["run"].run_id == run_id
    await silence(run_id, 16)
    await within(taken_over(host, run_id=run_id))
    assert (await tab.listener.end_of(run_id))["event"]["code"] == "interrupted"
