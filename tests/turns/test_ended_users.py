"""What ends a user ends their run and their queue: nothing more is asked of a provider, and nothing begins."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser, User
from django.db import connection

from sessions_app import database
from sessions_app.database.users import of_users
from sessions_app.errors import NotFound
from sessions_app.models import Message, Turn
from sessions_app.turn_store import asking, inactive_users, recovery
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.foreign import foreign, uncommitted
from tests.turns.host import Host, said, stands_at, stored_turn, within
from tests.turns.slow import SlowSearch

pytestmark = pytest.mark.usefixtures("hurried")

DEACTIVATE = "UPDATE auth_user SET is_active = false WHERE id = {}"
ACTIVATE = "UPDATE auth_user SET is_active = true WHERE id = {}"


async def run_sql(sql: str, user: AbstractUser) -> None:
    await asyncio.to_thread(foreign().run, sql.format(user.pk))


async def statuses() -> list[str]:
    return await database.read(lambda: list(Turn.objects.order_by("pk").values_list("status", flat=True)))


async def withdrawn(host: Host, count: int) -> None:
    """Return once the host's client was told of so many withdrawn turns."""
    await host.listener.until(lambda _: host.listener.facts().count("turn.withdrawn") == count)


@pytest.mark.thorough_on_postgresql
async def test_a_deactivation_ends_the_run_and_its_queue(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat, other = await session(), await session()
    asked = await host.ask(chat)
    for number in range(10):
        await host.ask(chat, f"waits {number}")
    await stands_at(gate)
    await host.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    await run_sql(DEACTIVATE, user)
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    await withdrawn(host, 10)
    gate.open()
    with pytest.raises(NotFound):
        await host.ask(other, "more")
    assert await statuses() == ["stopped", *["withdrawn"] * 10]
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One ", "stopped")]
    assert len(provider.requests) == 1


async def test_any_process_withdraws_the_queue(
    new_host: NewHost, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    owner, other = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    chat = await session()
    await owner.ask(chat)
    waiting = await owner.ask(chat, "waits")
    await stands_at(gate)
    await owner.runner.supervisor.stop()
    await run_sql(DEACTIVATE, user)
    await other.runner.supervisor.look()
    assert (await stored_turn(waiting.run_id)).status == "withdrawn"
    assert (await stored_turn(waiting.run_id)).ended_at is not None
    gate.open()


async def test_nothing_follows_a_turn_that_ends_before_anything_was_noticed(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await host.ask(chat, "waits")
    await stands_at(gate)
    await host.runner.supervisor.stop()
    await run_sql(DEACTIVATE, user)
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert await statuses() == ["complete", "queued"]
    assert host.runner.runs == []
    await host.runner.supervisor.look()
    assert await statuses() == ["complete", "withdrawn"]
    assert len(provider.requests) == 1


@pytest.mark.parametrize("queued", [False, True])
async def test_a_turn_that_races_with_a_deactivation_does_not_begin(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser, queued: bool
) -> None:
    chat = await session()
    await host.open(chat)
    await host.runner.supervisor.stop()
    if queued:
        await database.write(asking.ask, user.pk, chat, "waits", None, process="gone", accepting=False)

    def begin() -> Any:
        if queued:
            return recovery.begin_waiting(user.pk, chat, host.runner.process)
        return asking.ask(user.pk, chat, "hello", None, process=host.runner.process, accepting=True)

    async with uncommitted(DEACTIVATE.format(user.pk)):
        racing = asyncio.create_task(database.write(begin))
        await asyncio.sleep(0)
    begun = (await within(asyncio.gather(racing, return_exceptions=True)))[0]
    assert begun is None if queued else isinstance(begun, NotFound)
    assert await statuses() == (["queued"] if queued else [])
    assert await said(chat) == []


@pytest.mark.one_database
async def test_a_tool_loop_ends_with_its_user(
    new_host: NewHost, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    search = SlowSearch()
    host = await new_host(search=search)
    provider.script(Answer(["Let me see. "], calls=[Call("search_chats", '{"query": "x"}')]), Answer(["never"]))
    chat = await session()
    asked = await host.ask(chat)
    await within(search.begun.wait())
    await run_sql(DEACTIVATE, user)
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    assert [role for role, _, _ in await said(chat)] == ["user", "assistant"]
    assert len(provider.requests) == 1


async def test_a_deleted_user_leaves_nothing_and_nothing_is_written_for_them(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await host.ask(chat)
    await host.ask(chat, "waits")
    await stands_at(gate)
    [run] = host.runner.runs
    await database.write(lambda: User.objects.get(pk=user.pk).delete())
    await within(run.ended.wait())
    gate.open()
    assert await database.read(lambda: (Turn.objects.count(), Message.objects.count())) == (0, 0)
    assert host.runner.runs == []
    assert len(provider.requests) == 1


@pytest.mark.one_database
async def test_a_turn_whose_launch_was_lost_is_stopped_and_not_run(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    chat = await session()
    await host.open(chat)
    process = host.runner.process
    asked = await database.write(asking.ask, user.pk, chat, "hello", None, process=process, accepting=True)
    await run_sql(DEACTIVATE, user)
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    assert await said(chat) == [("user", "hello", "complete")]
    assert provider.requests == []


@pytest.mark.one_database
async def test_a_user_who_comes_back_finds_the_queue_withdrawn(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser
) -> None:
    gate = Gate()
    provider.script(Answer(["One "], gates={1: gate}), Answer(["two"]))
    chat = await session()
    asked = await host.ask(chat)
    await host.ask(chat, "waits")
    await stands_at(gate)
    await run_sql(DEACTIVATE, user)
    await host.listener.end_of(asked.run_id)
    await withdrawn(host, 1)
    gate.open()
    await run_sql(ACTIVATE, user)
    assert (await host.turn(chat, "again")).status == "complete"
    assert [text for role, text, _ in await said(chat) if role == "user"] == ["hello", "again"]


async def test_what_a_reactivated_user_has_asked_for_is_not_withdrawn(
    host: Host, session: NewSession, user: AbstractUser
) -> None:
    chat = await session()
    await host.runner.supervisor.stop()
    asked = await database.write(asking.ask, user.pk, chat, "waits", None, process="gone", accepting=False)
    await run_sql(DEACTIVATE, user)
    found = await database.read(inactive_users.find)
    assert found == [asked.turn.pk]
    await run_sql(ACTIVATE, user)
    await database.write(inactive_users.end, found)
    assert await statuses() == ["queued"]


async def test_other_users_go_on(host: Host, session: NewSession, provider: Provider, user: AbstractUser) -> None:
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}), Answer(["two"]))
    other = await database.write(lambda: User.objects.create_user("other"))
    chat = await session()
    asked = await host.ask(chat)
    waiting = await host.ask(chat, "waits")
    await stands_at(gate)
    await run_sql(DEACTIVATE, other)
    await host.runner.supervisor.look()
    await host.runner.supervisor.beat()
    gate.open()
    await host.listener.end_of(waiting.run_id)
    assert [(await stored_turn(each.run_id)).status for each in (asked, waiting)] == ["complete"] * 2


@pytest.mark.one_database
async def test_a_user_whose_row_a_foreign_program_took_away(
    host: Host, session: NewSession, provider: Provider, user: AbstractUser, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite keeps foreign keys only for those who ask it to."""
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await host.ask(chat)
    await host.ask(chat, "waits")
    await stands_at(gate)
    [run] = host.runner.runs
    await run_sql("DELETE FROM auth_user WHERE id = {}", user)
    await within(run.ended.wait())
    await host.runner.supervisor.look()
    gate.open()
    assert await statuses() == ["stopped", "withdrawn"]
    assert await said(chat) == [("user", "hello", "complete")]
    assert len(provider.requests) == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    # The test's database checks its foreign keys when it is emptied.
    await database.write(user.save)


@pytest.mark.one_database
async def test_the_poll_costs_nothing_for_users_without_turns(user: AbstractUser) -> None:
    """SQLite says which indexes it uses, whatever the tables hold."""

    def plan() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {of_users(inactive_users._ABANDONED)}", [1])
            return [row[3] for row in cursor.fetchall()]

    steps = [step for step in await database.read(plan) if step.startswith(("SCAN", "SEARCH"))]
    assert [step.split(" USING ")[-1].split(" (")[0] for step in steps] == [
        "INDEX turn_queue",
        "INTEGER PRIMARY KEY",
        "INDEX turn_heartbeat",
        "INTEGER PRIMARY KEY",
    ]
