"""What a crash left is taken up beside the users' own work: in bounded steps, few queues at once, fairly."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractUser, User

from sessions_app import database
from sessions_app.models import Turn
from sessions_app.session_store import chats
from sessions_app.turn_store import recovery
from sessions_app.turns import takeover
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, new_session, said, stored_turn, within
from tests.turns.slow import SlowWrite
from tests.turns.test_recovery import left_running, left_waiting

pytestmark = pytest.mark.one_database


async def statuses() -> list[str]:
    return await database.read(lambda: sorted(Turn.objects.values_list("status", flat=True)))


async def ended(host: Host, session_id: UUID) -> None:
    """Return once the session's run, if it has one, has ended."""
    if (run := host.runner.registry.get(session_id)) is not None:
        await within(run.ended.wait())


@pytest.fixture
async def quiet_host(host: Host) -> Host:
    """A process that looks only when its test says so."""
    await host.runner.supervisor.stop()
    return host


async def test_clients_are_served_while_a_turn_is_being_recovered(
    new_host: NewHost, session: NewSession, user: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    run_id = await left_running(user.pk, chat)
    slow = SlowWrite(monkeypatch, recovery, "recover")
    host = await within(new_host())
    await within(slow.begun.wait())
    view = await within(host.open(chat))
    assert (view["run"].run_id, view["run"].text) == (run_id, "One ")
    slow.go.set()
    told = await host.listener.end_of(run_id)
    assert (told["event"]["code"], told["seq"]) == ("interrupted", None)
    assert (await host.listener.fact("message.created"))["text"] == "One "
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One ", "interrupted")]
    assert (await host.open(chat))["run"] is None


@pytest.mark.both_databases
@pytest.mark.thorough
async def test_one_step_ends_a_bounded_number_of_dead_turns(
    quiet_host: Host, session: NewSession, user: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "ENDED_AT_ONCE", 2)
    for _ in range(5):
        await left_running(user.pk, await session())
    for done in (2, 4, 5):
        await quiet_host.runner.supervisor.look()
        assert (await statuses()).count("interrupted") == done


async def test_few_queues_run_at_once_and_all_in_the_end(
    quiet_host: Host, session: NewSession, provider: Provider, user: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "QUEUES_AT_ONCE", 3)
    monkeypatch.setattr(takeover, "BEGUN_AT_ONCE", 2)
    sessions = [await session() for _ in range(7)]
    for chat in sessions * 2:
        await left_waiting(user.pk, chat)
    gates = [Gate() for _ in range(3)]
    provider.script(*(Answer(["One"], gates={0: gate}) for gate in gates))
    running = []
    for _ in range(3):
        await quiet_host.runner.supervisor.look()
        running.append(len(quiet_host.runner.runs))
    assert running == [2, 3, 3]
    for gate in gates:
        gate.open()
    while "queued" in await statuses():
        await quiet_host.runner.supervisor.look()
        assert len(quiet_host.runner.runs) <= 3
        await asyncio.gather(*(ended(quiet_host, chat) for chat in sessions))
    for chat in sessions:
        await ended(quiet_host, chat)
    assert await statuses() == ["complete"] * 14
    for chat in sessions:
        assert [role for role, _, _ in await said(chat)] == ["user", "assistant"] * 2


async def test_a_dead_turns_queue_waits_for_its_place_too(
    quiet_host: Host, session: NewSession, user: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "BEGUN_AT_ONCE", 0)
    chat = await session()
    await left_running(user.pk, chat)
    await left_waiting(user.pk, chat)
    await quiet_host.runner.supervisor.look()
    assert await statuses() == ["interrupted", "queued"]


@pytest.mark.both_databases
async def test_a_users_first_queue_comes_before_anybodys_second(
    quiet_host: Host, session: NewSession, user: AbstractUser
) -> None:
    other = await database.write(lambda: User.objects.create_user("other"))
    mine = [await session() for _ in range(3)]
    for chat in mine:
        await left_waiting(user.pk, chat)
    theirs = await new_session(other.pk)
    await left_waiting(other.pk, theirs)
    assert await database.read(recovery.waiting, 10) == [
        (user.pk, mine[0]),
        (other.pk, theirs),
        (user.pk, mine[1]),
        (user.pk, mine[2]),
    ]
    # What runs for a user counts.
    await left_running(user.pk, await session())
    assert await database.read(recovery.waiting, 2) == [(other.pk, theirs), (user.pk, mine[0])]


@pytest.mark.thorough
async def test_a_long_queue_gives_its_place_up_while_others_wait(
    quiet_host: Host, session: NewSession, provider: Provider, user: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "QUEUES_AT_ONCE", 1)
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    other = await database.write(lambda: User.objects.create_user("other"))
    long, short = await session(), await new_session(other.pk)
    first, theirs, second = [
        await left_waiting(owner_id, chat) for owner_id, chat in ((user.pk, long), (other.pk, short), (user.pk, long))
    ]
    for _ in range(2):
        await quiet_host.runner.supervisor.look()
    gate.open()
    await ended(quiet_host, long)
    assert [(await stored_turn(run_id)).status for run_id in (first, second)] == ["complete", "queued"]
    await quiet_host.runner.supervisor.look()
    await ended(quiet_host, short)
    assert (await stored_turn(theirs)).status == "complete"
    await quiet_host.runner.supervisor.look()
    await ended(quiet_host, long)
    assert (await stored_turn(second)).status == "complete"


async def test_what_its_user_asks_for_does_not_wait_for_a_place(
    quiet_host: Host, session: NewSession, user: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "QUEUES_AT_ONCE", 0)
    chat = await session()
    left = await left_waiting(user.pk, chat)
    asked = await quiet_host.ask(chat, "now")
    await quiet_host.listener.end_of(asked.run_id)
    assert (await stored_turn(left)).status == "complete"


async def test_a_command_waits_for_one_step_at_the_most(
    quiet_host: Host, session: NewSession, user: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer, and whoever polls for it loses against who comes again at once."""
    for _ in range(6):
        await left_running(user.pk, await session())
    order: list[str] = []
    recover = recovery.recover

    def recover_and_note(*args: Any) -> Any:
        order.append("step")
        return recover(*args)

    def create() -> None:
        order.append("command")
        chats.create(user.pk, "")

    monkeypatch.setattr(recovery, "recover", recover_and_note)
    slow = SlowWrite(monkeypatch, recovery, "recover")
    looking = asyncio.create_task(quiet_host.runner.supervisor.look())
    await within(slow.begun.wait())
    command = asyncio.create_task(database.write(create))
    await asyncio.sleep(0)
    slow.go.set()
    await within(asyncio.gather(looking, command))
    assert order == ["step", "command", *["step"] * 5]
