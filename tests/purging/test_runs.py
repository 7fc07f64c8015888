"""The night's run: once, by whichever process; gone on with where one dies; and nothing of a chat stays in memory."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils.timezone import now

from sessions_app import database
from sessions_app.models import ChatSession, DeletionKind, DeletionRequest, PurgeRun
from sessions_app.purging import purge, requests, runs
from sessions_app.purging.runs import ClaimLost, Run
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.purging.conftest import SILENCE, old_chat, policy, purged, write
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, stands_at, within

pytestmark = pytest.mark.django_db(transaction=True)


def fill(count: int) -> None:
    alice = User.objects.create_user("alice")
    for number in range(count):
        old_chat(alice, f"{number}", 31)
    policy(30)


async def nights() -> list[PurgeRun]:
    return await database.read(lambda: list(PurgeRun.objects.order_by("pk")))


async def test_of_two_processes_one_makes_the_nights_run(new_host: NewHost) -> None:
    await database.write(fill, 6)
    hosts = [await new_host(), await new_host()]
    for _ in range(2):
        await within(asyncio.gather(*(host.runner.purge.run_if_due() for host in hosts)))
    [run] = await nights()
    assert (run.chats, run.messages, run.night, run.ended_at is None) == (
        6,
        12,
        (await database.read(runs.night)),
        False,
    )
    assert run.process in {host.runner.process for host in hosts}


async def test_the_next_night_has_a_run_of_its_own_and_a_clock_set_back_none(host: Host) -> None:
    await host.runner.purge.run_if_due()
    day, night = timedelta(days=1), await database.read(runs.night)
    await database.write(lambda: PurgeRun.objects.update(night=night - day))
    await host.runner.purge.run_if_due()
    await database.write(lambda: PurgeRun.objects.filter(night=night).update(night=night + day, started_at=now() + day))
    await host.runner.purge.run_if_due()
    assert sorted(run.night - night for run in await nights() if run.night) == [-day, day - day, day]


@pytest.mark.thorough_on_postgresql
async def test_where_a_process_dies_in_the_middle_another_goes_on_with_the_run(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.write(fill, 8)
    dead = await database.write(runs.begin_night, "dead", SILENCE)
    assert isinstance(dead, Run)
    steps = 0

    async def dying(work: Any, *args: Any) -> Any:
        nonlocal steps
        if (steps := steps + 1) > 3:
            raise asyncio.CancelledError
        return await write(work, *args)

    with pytest.raises(asyncio.CancelledError):
        # Of the first request there is nothing: three chats go.
        await purge.Purge(dying, dead, SILENCE).carry_out()
    await host.runner.purge.run_if_due()
    if connection.vendor == "postgresql":  # there the lease says who is dead
        await database.write(lambda: PurgeRun.objects.update(heartbeat_at=now() - timedelta(minutes=3)))
        await host.runner.purge.run_if_due()
    [run] = await nights()
    assert (run.chats, run.messages, run.process) == (8, 16, host.runner.process)
    # The dead one comes back: it deletes nothing, and counts nothing.
    with pytest.raises(ClaimLost):
        await write(runs.note, dead)


async def test_a_run_that_is_lost_rolls_back_what_it_was_deleting() -> None:
    await database.write(fill, 1)
    run = await database.write(runs.begin_now)
    lost = Run(run.id, run.claim.__class__(int=0))
    with pytest.raises(ClaimLost):
        await purge.Purge(write, lost, SILENCE).carry_out()
    assert await database.read(ChatSession.objects.count) == 1


async def test_a_sweep_lets_go_of_transcripts_whose_sessions_another_process_deleted(
    host: Host, session: NewSession, new_host: NewHost
) -> None:
    elsewhere = await new_host()
    chat, kept = await session(), await session()
    for each in (chat, kept):
        await host.turn(each)
    await elsewhere.runner.service.delete_session(host.user_id, chat)
    assert host.runner.pool.statistics().transcripts == 2
    await host.runner.pool.sweep()
    assert host.runner.pool.statistics().transcripts == 1
    assert (await host.turn(kept)).guard_transcript == "kept"


@pytest.mark.one_database
async def test_all_chats_go_with_the_turn_that_runs_but_not_what_came_since(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    running = await session("runs")
    asked = await host.ask(running)
    await stands_at(gate)

    def ask() -> None:
        requests.ask(host.user_id, DeletionKind.CHATS)
        DeletionRequest.objects.update(due_at=now())

    await database.write(ask)
    later = await session("made afterwards")
    assert (await purged()).chats == 1
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    assert await database.read(lambda: list(ChatSession.objects.values_list("pk", flat=True))) == [later]
    assert await database.read(requests.due) == []
