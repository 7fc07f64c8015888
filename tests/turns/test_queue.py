"""A second turn of a session waits, in order, and may be withdrawn."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from django.db import IntegrityError
from django.utils import timezone

from sessions_app import database
from sessions_app.conversations.limits import QUEUE_LIMIT
from sessions_app.errors import TooMany
from sessions_app.models import Message, Turn
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, Listener, said, stands_at, stored_turn, within


async def test_turns_run_one_after_the_other_in_the_order_of_asking(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["first"], gates={0: gate}), Answer(["second"]), Answer(["third"]))
    chat = await session()
    asked = [await host.ask(chat, text) for text in ("one", "two", "three")]
    assert [each.queued for each in asked] == [False, True, True]
    assert [each.message.position for each in asked] == [0, None, None]
    await stands_at(gate)
    # Somebody else's view: who opens a session is not told again what the answer holds.
    view = await host.open(chat, Listener(host.user_id))
    assert [entry.text for entry in view["queued"]] == ["two", "three"]
    assert [message.text for message in view["messages"]] == ["one"]
    gate.open()
    await host.listener.end_of(asked[2].run_id)
    assert [text for _, text, _ in await said(chat)] == ["one", "first", "two", "second", "three", "third"]
    starts = [event["run_id"] for event in host.listener.events if event["event"]["type"] == "RUN_STARTED"]
    assert starts == [str(each.run_id) for each in asked]


@pytest.mark.one_database
async def test_what_is_told_of_a_queued_turn(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["first"], gates={0: gate}))
    chat = await session()
    await host.ask(chat, "one")
    message_id = uuid4()
    asked = await host.ask(chat, "two", message_id)
    entry = {"run_id": str(asked.run_id), "message_id": str(message_id), "text": "two"}
    assert await host.listener.fact("turn.queued") == entry
    gate.open()
    await host.listener.end_of(asked.run_id)
    created = [e["event"]["value"] for e in host.listener.events if e["event"].get("name") == "message.created"]
    asked_for = [message for message in created if message["role"] == "user"]
    assert [(message["text"], message["position"]) for message in asked_for] == [("one", 0), ("two", 2)]
    assert asked_for[1]["id"] == str(message_id)


@pytest.mark.one_database
async def test_the_transcript_of_the_running_turn_is_untouched_by_the_queue(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["first"], gates={0: gate}))
    chat = await session()
    await host.ask(chat, "one")
    await stands_at(gate)
    before = (await host.open(chat))["session"]
    last = await host.ask(chat, "two")
    assert (await host.open(chat))["session"].revision == before.revision
    gate.open()
    await host.listener.end_of(last.run_id)
    assert (await stored_turn(last.run_id)).guard_transcript == "kept"


async def test_a_withdrawn_turn_never_runs(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["first"], gates={0: gate}))
    chat = await session()
    asked = [await host.ask(chat, text) for text in ("one", "two", "three")]
    assert await host.stop(chat, asked[1].run_id)
    assert (await host.listener.fact("turn.withdrawn"))["text"] == "two"
    assert not await host.stop(chat, asked[1].run_id)
    gate.open()
    await host.listener.end_of(asked[2].run_id)
    assert [text for role, text, _ in await said(chat) if role == "user"] == ["one", "three"]
    assert (await stored_turn(asked[1].run_id)).status == "withdrawn"
    assert len(provider.requests) == 2


@pytest.mark.one_database
@pytest.mark.parametrize("end", ["stopped", "failed"])
async def test_the_queue_goes_on_however_the_running_turn_ends(
    host: Host, session: NewSession, provider: Provider, end: str
) -> None:
    gate = Gate()
    provider.script(Answer(["One "], gates={0: gate}, cut=1), Answer(["second"]))
    chat = await session()
    first, second = await host.ask(chat, "one"), await host.ask(chat, "two")
    await stands_at(gate)
    if end == "stopped":
        assert await host.stop(chat)
    gate.open()
    await host.listener.end_of(second.run_id)
    assert [(await stored_turn(each.run_id)).status for each in (first, second)] == [end, "complete"]
    assert (await said(chat))[-2:] == [("user", "two", "complete"), ("assistant", "second", "complete")]


@pytest.mark.one_database
async def test_the_queue_is_bounded(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["first"], gates={0: gate}))
    chat, elsewhere = await session(), await session()
    await host.ask(chat)
    asked = [await host.ask(chat, f"waits {number}") for number in range(QUEUE_LIMIT)]
    message_id = uuid4()
    with pytest.raises(TooMany) as refused:
        await host.ask(chat, "too many", message_id)
    assert refused.value.data["retry_after"] > 0
    assert await host.stop(chat, asked[0].run_id)
    # What was refused left nothing behind: the same id is free.
    assert (await host.ask(chat, "too many", message_id)).queued
    assert not (await host.ask(elsewhere)).queued
    for each in (await host.open(chat))["queued"]:
        await host.stop(chat, each.run_id)
    gate.open()


async def test_turns_that_come_at_once_all_run_once(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    await host.open(chat)
    host.opened.add(chat)
    asked = await asyncio.gather(*(host.ask(chat, f"text {number}") for number in range(6)))
    assert sum(not each.queued for each in asked) == 1
    for each in asked:
        await host.listener.end_of(each.run_id)
    stored = await said(chat)
    assert [role for role, _, _ in stored] == ["user", "assistant"] * 6
    assert {text for role, text, _ in stored if role == "user"} == {f"text {number}" for number in range(6)}
    positions = await database.read(lambda: list(Message.objects.order_by("pk").values_list("position", flat=True)))
    assert positions == list(range(12))


async def test_turns_that_come_at_once_from_two_processes_all_run_once(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    hosts = [await new_host(), await new_host()]
    chat = await session()
    for host in hosts:
        await host.open(chat)
        host.opened.add(chat)
    pairs = [(hosts[number % 2], number) for number in range(6)]
    asked = await asyncio.gather(*(host.ask(chat, f"text {number}") for host, number in pairs))
    for each in asked:
        # Whoever ends a turn begins the next, whoever was asked for it.
        ends = [asyncio.create_task(host.listener.end_of(each.run_id)) for host in hosts]
        await within(asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED))
        for end in ends:
            end.cancel()
    assert [role for role, _, _ in await said(chat)] == ["user", "assistant"] * 6
    statuses = await database.read(lambda: list(Turn.objects.values_list("status", flat=True)))
    assert statuses == ["complete"] * 6
    assert len(provider.requests) == 6


async def test_two_turns_of_a_session_at_once_are_refused_by_the_database(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)

    def run_both() -> None:
        Turn.objects.update(status="running", claim=uuid4(), heartbeat_at=timezone.now())
        copy = Turn.objects.get()
        copy.pk, copy.run_id = None, uuid4()
        copy.save()

    with pytest.raises(IntegrityError):
        await database.write(run_both)
