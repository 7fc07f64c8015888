"""An owner that dies, sleeps or loses its turn: what was said is kept, nobody writes twice, the queue goes on."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from sessions_app import database
from sessions_app.models import Turn
from sessions_app.turn_store import asking
from sessions_app.turns import memory
from tests.processes import Process
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import CHAT, NewHost, NewSession
from tests.turns.foreign import foreign
from tests.turns.host import PATIENCE, Host, guard_of, said, stands_at, stored_turn, within
from tests.turns.slow import SlowWrite


def doomed(user_id: int, session_id: UUID, script: str = "doomed", *arguments: str) -> Process:
    env = {
        "DJANGO_SETTINGS_MODULE": "hermes_site.settings",
        "DATABASE_URL": foreign().url,
        "SECRET_KEY": "tests-only",
        "HERMES_MODEL": CHAT,
    }
    return Process(
        [sys.executable, "-m", f"tests.turns.{script}", str(user_id), str(session_id), *arguments],
        env={**os.environ, **env},
    )


async def silence(run_id: UUID, seconds: float) -> None:
    """Make a turn's last heartbeat so old."""
    past = timezone.now() - timedelta(seconds=seconds)
    await database.write(lambda: Turn.objects.filter(run_id=run_id).update(heartbeat_at=past))


async def fall_silent(owner: Host, run_id: UUID) -> None:
    """Let a process sleep for longer than the lease, heartbeats and all; its runs go on."""
    await owner.runner.supervisor.stop()
    await silence(run_id, 16)


async def taken_over(*hosts: Host, run_id: UUID) -> None:
    """Return once one of them has ended a silent owner's turn; after a gap of their own they wait before they judge."""
    while (await stored_turn(run_id)).status == "running":
        await asyncio.gather(*(host.runner.supervisor.look() for host in hosts))


async def lease_ends(host: Host, run_id: UUID) -> None:
    """Let the lease of a turn end that its process has lost; the process itself finds and ends it."""
    await silence(run_id, 16)
    await within(taken_over(host, run_id=run_id))


async def left_running(
    user_id: int, session_id: UUID, process: str = "of another time", silent_for: float = 16
) -> UUID:
    """A turn that a process began and then died of, so many seconds ago; one without a name is not known to be dead."""
    asked = await database.write(asking.ask, user_id, session_id, "hello", None, process=process, accepting=True)
    await database.write(lambda: Turn.objects.filter(run_id=asked.run_id).update(checkpoint="One "))
    await silence(asked.run_id, silent_for)
    return asked.run_id


async def left_waiting(user_id: int, session_id: UUID) -> UUID:
    """A turn that a process queued as it stopped."""
    process = "of another time"
    asked = await database.write(asking.ask, user_id, session_id, "hello", None, process=process, accepting=False)
    return asked.run_id


async def test_a_turn_that_cannot_be_recovered_does_not_stop_the_others(
    new_host: NewHost, session: NewSession, user: Any
) -> None:
    chats = [await session() for _ in range(4)]
    dead = [await left_running(user.pk, chat) for chat in chats[:3]]
    waiting = await left_waiting(user.pk, chats[3])

    def take_the_answers_id() -> None:
        turn = Turn.objects.get(run_id=dead[1])
        Turn.objects.filter(pk=turn.pk).update(answer_id=turn.message_id)

    await database.write(take_the_answers_id)
    host = await new_host()
    await host.runner.supervisor.look()
    for run in host.runner.runs:
        await within(run.ended.wait())
    statuses = [(await stored_turn(run_id)).status for run_id in (*dead, waiting)]
    assert statuses == ["interrupted", "running", "interrupted", "complete"]
    assert await said(chats[1]) == [("user", "hello", "complete")]


async def test_a_killed_process(new_host: NewHost, session: NewSession, provider: Provider, user: Any) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}), Answer(["the next answer"]))
    chat = await session()
    process = await asyncio.to_thread(doomed, user.pk, chat)
    line = await asyncio.to_thread(process.line, "checkpoint")
    await asyncio.to_thread(process.kill)
    run_id = UUID(line.split()[1])
    assert line.endswith("'One '")
    if connection.vendor == "postgresql":
        await silence(run_id, 16)  # a file's lock tells at once, PostgreSQL only by the lease
    host = await new_host()
    await host.runner.supervisor.look()
    for run in host.runner.runs:
        await within(run.ended.wait())
    assert await said(chat) == [
        ("user", "to the doomed", "complete"),
        ("assistant", "One ", "interrupted"),
        ("user", "left waiting", "complete"),
        ("assistant", "the next answer", "complete"),
    ]
    turn = await stored_turn(run_id)
    assert (turn.status, turn.error_code, turn.checkpoint) == ("interrupted", "interrupted", "")
    gate.open()


async def test_a_living_process_of_this_machine_keeps_its_turns(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    owner, other = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    asked = await owner.ask(await session())
    await stands_at(gate)
    await other.runner.supervisor.look()
    assert (await stored_turn(asked.run_id)).status == "running"
    gate.open()
    await owner.listener.end_of(asked.run_id)
    assert (await stored_turn(asked.run_id)).status == "complete"


async def test_a_silent_owner_loses_its_turn_after_the_lease_and_writes_nothing_more(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    owner, other = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}), Answer(["after it"]))
    chat = await session()
    asked = await owner.ask(chat)
    waiting = await owner.ask(chat, "waits")
    await other.open(chat)
    await stands_at(gate)
    await owner.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    await owner.runner.supervisor.stop()
    await owner.runner.supervisor.beat()
    await silence(asked.run_id, 12)
    await other.runner.supervisor.look()
    assert (await stored_turn(asked.run_id)).status == "running"
    await fall_silent(owner, asked.run_id)
    await within(taken_over(other, run_id=asked.run_id))
    told = await other.listener.end_of(asked.run_id)
    assert (told["event"]["type"], told["event"]["code"], told["seq"]) == ("RUN_ERROR", "interrupted", None)
    await other.listener.end_of(waiting.run_id)
    stored = await said(chat)
    assert stored == [
        ("user", "hello", "complete"),
        ("assistant", "One ", "interrupted"),
        ("user", "waits", "complete"),
        ("assistant", "after it", "complete"),
    ]
    # The owner wakes up, and finishes what it believes is its turn.
    gate.open()
    await owner.runner.supervisor.poll()
    told = await owner.listener.end_of(asked.run_id)
    assert (told["event"]["code"], told["seq"]) == ("interrupted", None)
    assert await said(chat) == stored
    assert guard_of(await owner.turn(chat))[1] == "read"


@pytest.mark.thorough_on_postgresql
async def test_an_owner_that_slept_before_it_read_sends_nothing_later(
    new_host: NewHost, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, other = await new_host(), await new_host()
    provider.script(Answer(["Two"]), Answer(["never asked for"]))
    chat = await session()
    await other.open(chat)
    with monkeypatch.context() as patch:
        asleep = SlowWrite(patch, memory, "_stored")
        asked = await owner.ask(chat, "one")
        await within(asleep.begun.wait())
    [run] = owner.runner.runs
    waiting = await owner.ask(chat, "two")
    await fall_silent(owner, asked.run_id)
    await within(taken_over(other, run_id=asked.run_id))
    await other.listener.end_of(waiting.run_id)
    asleep.go.set()
    await within(run.ended.wait())
    await owner.runner.supervisor.poll()
    assert (await owner.listener.end_of(asked.run_id))["seq"] is None
    assert len(provider.requests) == 1


async def test_a_process_that_lost_its_turn_cannot_store_a_step(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["Let me see. "], calls=[Call("calculator", '{"expression": "1+1"}')], gates={0: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    await database.write(lambda: Turn.objects.filter(run_id=asked.run_id).update(claim=uuid4()))
    gate.open()
    await lease_ends(host, asked.run_id)
    told = await host.listener.end_of(asked.run_id)
    assert (told["event"]["code"], told["seq"]) == ("interrupted", None)
    assert await said(chat) == [("user", "hello", "complete")]
    assert len(provider.requests) == 1


async def test_a_heartbeat_finds_a_lost_turn_and_stops_paying_for_it(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    await database.write(lambda: Turn.objects.filter(run_id=asked.run_id).update(claim=uuid4()))
    await host.runner.supervisor.beat()
    await lease_ends(host, asked.run_id)
    told = await host.listener.end_of(asked.run_id)
    assert (told["event"]["code"], told["seq"]) == ("interrupted", None)
    assert host.runner.runs == []
    assert await said(chat) == [("user", "hello", "complete")]


@pytest.mark.usefixtures("hurried")
async def test_two_who_recover_at_once_end_it_once(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    owner, *others = await new_host(), await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await owner.ask(chat)
    await stands_at(gate)
    await owner.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    await owner.runner.supervisor.beat()
    for other in others:
        await other.open(chat)
    await fall_silent(owner, asked.run_id)
    await within(taken_over(*others, run_id=asked.run_id))
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One ", "interrupted")]
    for other in others:
        await other.listener.end_of(asked.run_id)
        assert [event["event"]["type"] for event in other.listener.run(asked.run_id)] == ["RUN_ERROR"]


async def test_a_new_turn_in_the_process_that_lost_one_shares_nothing_with_it(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    """The old run still streams, unaware; nothing was stored for it, so the stamp has not moved."""
    owner, other = await new_host(silence=2 * PATIENCE), await new_host()
    gate = Gate()
    provider.script(Answer(["never ", "stored"], gates={0: gate}), Answer(["fine"]))
    chat = await session()
    asked = await owner.ask(chat, "one")
    await stands_at(gate)
    await fall_silent(owner, asked.run_id)
    await within(taken_over(other, run_id=asked.run_id))
    after = await owner.turn(chat, "two")
    await owner.runner.supervisor.beat()
    assert (await owner.listener.end_of(asked.run_id))["seq"] is None
    assert after.status == "complete"
    assert [text for _, text, _ in await said(chat)] == ["one", "two", "fine"]
    assert [m["content"] for m in provider.requests[-1].json["messages"][1:]] == ["one", "two"]
    assert (await owner.turn(chat, "three")).guard_reason == "same stamp"
    assert [m["content"] for m in provider.requests[-1].json["messages"][1:]] == ["one", "two", "fine", "three"]
