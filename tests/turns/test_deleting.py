"""Deleting a session ends its run first and takes everything along."""

from __future__ import annotations

from uuid import uuid4

import pytest

from sessions_app import database
from sessions_app.errors import NotFound
from sessions_app.models import Branch, ChatSession, Message, MessageClaim, SessionStamp, Turn
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, said, stands_at, within

pytestmark = pytest.mark.both_databases


async def left() -> list[int]:
    models = (ChatSession, Branch, SessionStamp, Message, Turn)
    return await database.read(lambda: [model._default_manager.count() for model in models])


async def test_an_idle_session_goes_whole_and_leaves_the_others(host: Host, session: NewSession) -> None:
    chat, other = await session(), await session()
    await host.turn(chat)
    await host.turn(other)
    await host.runner.delete_session(host.user_id, chat)
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
    await within(host.runner.delete_session(host.user_id, chat))
    kinds = [event["event"].get("name") or event["event"]["type"] for event in host.listener.events]
    assert kinds.index("RUN_FINISHED") < kinds.index("session.deleted")
    assert (await host.listener.end_of(asked.run_id))["event"]["outcome"] == {"type": "cancelled"}
    assert await left() == [0, 0, 0, 0, 0]
    assert host.runner.runs == []
    assert len(provider.requests) == 1


async def test_a_run_in_another_process_finds_its_session_gone_and_writes_nothing(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    owner, other = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await owner.ask(chat)
    await stands_at(gate)
    await other.runner.delete_session(other.user_id, chat)
    gate.open()
    event = await owner.listener.end_of(asked.run_id)
    assert (event["event"]["code"], event["seq"]) == ("interrupted", None)
    assert await left() == [0, 0, 0, 0, 0]


async def test_what_is_not_ones_own_is_not_found(host: Host, session: NewSession) -> None:
    chat = await session()
    for user_id, session_id in ((host.user_id + 1, chat), (host.user_id, uuid4())):
        with pytest.raises(NotFound):
            await host.runner.delete_session(user_id, session_id)
    assert await said(chat) == []
