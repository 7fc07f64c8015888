"""Deleting a session ends its run first and takes everything along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from sessions_app import database
from sessions_app.errors import NotFound
from sessions_app.models import Branch, ChatSession, Message, MessageClaim, SessionStamp, Turn
from sessions_app.turn_store import deleting
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, said, stands_at, within
from tests.turns.test_recovery import silence


async def left() -> list[int]:
    models = (ChatSession, Branch, SessionStamp, Message, Turn)
    return await database.read(lambda: [model._default_manager.count() for model in models])


async def test_an_idle_session_goes_whole_and_leaves_the_others(host: Host, session: NewSession) -> None:
    chat, other = await session(), await session()
    await host.turn(chat)
    await host.turn(other)
    await host.runner.service.delete_session(host.user_id, chat)
    assert await host.listener.fact("session.deleted") == str(chat)
    assert await left() == [1, 1, 1, 2, 1]
    assert await database.read(MessageClaim.objects.count) == 2
    with pytest.raises(NotFound):
        await host.ask(chat)
    assert (await host.turn(other)).guard_transcript == "kept"


async def test_a_running_turn_ends_first_and_what_waits_never_runs(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await host.ask(chat, "waits")
    await stands_at(gate)
    await within(host.runner.service.delete_session(host.user_id, chat))
    kinds = [event["event"].get("name") or event["event"]["type"] for event in host.listener.events]
    assert kinds.index("RUN_FINISHED") < kinds.index("session.deleted")
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    assert await left() == [0, 0, 0, 0, 0]
    assert host.runner.runs == []
    assert len(provider.requests) == 1


@pytest.mark.parametrize("busy", [False, True])
async def test_a_turn_that_begins_before_the_session_goes_is_ended_and_told_first(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    gates = [Gate() for _ in range(busy + 1)]
    provider.script(*(Answer(["One ", "two"], gates={1: gate}) for gate in gates))
    chat = await session()
    if busy:
        await host.ask(chat)
        await stands_at(gates[0])
    late: list[UUID] = []
    write = database.write

    async def write_behind_another_tab(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if deleting.delete in args and not host.runner.runs and not late:
            late.append((await host.ask(chat, "from another tab")).run_id)
            await stands_at(gates[-1])
        return await write(function, *args, **kwargs)

    monkeypatch.setattr(database, "write", write_behind_another_tab)
    await within(host.runner.service.delete_session(host.user_id, chat))
    assert (await host.listener.end_of(late[0]))["event"]["outcome"] == {"type": "cancelled"}
    assert host.listener.facts()[-1] == "session.deleted"
    assert host.listener.events[-1]["event"]["type"] == "CUSTOM"
    assert host.runner.runs == []
    assert await left() == [0, 0, 0, 0, 0]


@pytest.mark.one_database
@pytest.mark.usefixtures("hurried")
async def test_a_run_in_another_process_ends_first(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    owner, other = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await owner.ask(chat)
    await stands_at(gate)
    await within(other.runner.service.delete_session(other.user_id, chat))
    assert (await owner.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    assert await left() == [0, 0, 0, 0, 0]


async def test_a_run_of_a_silent_process_finds_its_session_gone_and_writes_nothing(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    owner, other = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await owner.ask(chat)
    await stands_at(gate)
    await owner.runner.supervisor.stop()
    await silence(asked.run_id, 16)
    other.runner.launcher.accepting = False  # else it might be faster to end the turn
    await within(other.runner.service.delete_session(other.user_id, chat))
    [run] = owner.runner.runs
    gate.open()
    await within(run.ended.wait())
    assert run.turn.run_id == asked.run_id
    assert await left() == [0, 0, 0, 0, 0]


async def test_what_is_not_ones_own_is_not_found(host: Host, session: NewSession) -> None:
    chat = await session()
    for user_id, session_id in ((host.user_id + 1, chat), (host.user_id, uuid4())):
        with pytest.raises(NotFound):
            await host.runner.service.delete_session(user_id, session_id)
    assert await said(chat) == []
