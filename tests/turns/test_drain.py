"""A process that stops: running turns end or are cut and kept, queued ones are left alone, nothing is between."""

from __future__ import annotations

import asyncio

import pytest

from sessions_app import database
from sessions_app.models import Turn
from sessions_app.turn_store import asking, recovery
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, guard_of, said, stands_at, stored_turn, within
from tests.turns.slow import SlowWrite

pytestmark = pytest.mark.one_database


async def test_what_ends_within_the_grace_ends_as_ever(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    draining = asyncio.create_task(host.runner.drain(20))
    await asyncio.sleep(0)
    gate.open()
    await within(draining)
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "success"}
    assert (await said(chat))[1] == ("assistant", "One two", "complete")


@pytest.mark.both_databases
async def test_what_does_not_is_cut_and_kept(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    host = await new_host()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await host.ask(chat)
    waiting = await host.ask(chat, "waits")
    await stands_at(gate)
    await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    await within(host.runner.drain(0))
    told = (await host.listener.end_of(asked.run_id))["event"]
    assert (told["type"], told["code"]) == ("RUN_ERROR", "interrupted")
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One ", "interrupted")]
    assert [(await stored_turn(each.run_id)).status for each in (asked, waiting)] == ["interrupted", "queued"]
    # The next process takes the queue over as it starts.
    after = await new_host()
    await after.open(chat)
    await after.listener.end_of(waiting.run_id)
    assert guard_of(await stored_turn(waiting.run_id)) == ("built", "read", "first turn here")
    assert [text for role, text, _ in await said(chat) if role == "user"] == ["hello", "waits"]


async def test_a_text_that_comes_while_draining_is_stored_and_left_to_others(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.runner.drain(0)
    asked = await host.ask(chat)
    assert asked.queued
    assert (await stored_turn(asked.run_id)).status == "queued"
    assert await said(chat) == []
    assert provider.requests == []


@pytest.mark.both_databases
async def test_a_turn_that_is_just_being_stored_is_waited_for(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    slow = SlowWrite(monkeypatch, asking, "ask")
    asking_for_it = asyncio.create_task(host.ask(chat))
    await within(slow.begun.wait())
    draining = asyncio.create_task(host.runner.drain(20))
    await asyncio.sleep(0)
    slow.go.set()
    asked = await within(asking_for_it)
    await within(draining)
    assert (await stored_turn(asked.run_id)).status == "complete"
    assert [role for role, _, _ in await said(chat)] == ["user", "assistant"]


async def test_a_queued_turn_that_is_just_being_taken_up_is_waited_for(
    new_host: NewHost, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, host = await new_host(), await new_host()
    chat = await session()
    await gone.runner.drain(0)
    asked = await gone.ask(chat)
    slow = SlowWrite(monkeypatch, recovery, "begin_waiting")
    recovering = asyncio.create_task(host.runner.supervisor.look())
    await within(slow.begun.wait())
    draining = asyncio.create_task(host.runner.drain(20))
    await asyncio.sleep(0)
    slow.go.set()
    await within(draining)
    await within(recovering)
    assert (await stored_turn(asked.run_id)).status == "complete"


async def test_a_caller_that_goes_away_takes_no_turn_along(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    slow = SlowWrite(monkeypatch, asking, "ask")
    calling = asyncio.create_task(host.ask(chat))
    await within(slow.begun.wait())
    calling.cancel()
    slow.go.set()
    with pytest.raises(asyncio.CancelledError):
        await calling
    created = await host.listener.until(lambda event: event["event"]["type"] == "RUN_FINISHED")
    assert created["event"]["outcome"] == {"type": "success"}
    assert [role for role, _, _ in await said(chat)] == ["user", "assistant"]


async def test_draining_twice_and_idle(host: Host) -> None:
    await host.runner.drain(0)
    await host.runner.drain(0)
    assert not await database.read(Turn.objects.exists)
