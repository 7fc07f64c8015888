"""A message id makes a repeat the same turn; turns a minute are counted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from sessions_app import database
from sessions_app.errors import Conflict, NotFound, TooMany
from sessions_app.models import Message, MessageClaim, Turn
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, new_session, said, stands_at

ID = UUID(int=42)


async def counts() -> tuple[int, int]:
    return await database.read(lambda: (Turn.objects.count(), MessageClaim.objects.count()))


@pytest.mark.one_database
async def test_a_repeat_while_it_runs_and_after_its_end(host: Host, session: NewSession, provider: Provider) -> None:
    gate = Gate()
    provider.script(Answer(["first"], gates={0: gate}))
    chat = await session()
    asked = await host.ask(chat, "one", ID)
    assert asked.message.id == ID
    await stands_at(gate)
    running = await host.ask(chat, "one", ID)
    gate.open()
    await host.listener.end_of(asked.run_id)
    ended = await host.ask(chat, "one", ID)
    for repeat in (running, ended):
        assert (repeat.run_id, repeat.message, repeat.queued) == (asked.run_id, asked.message, False)
    assert await counts() == (1, 1)
    assert len(provider.requests) == 1
    assert host.listener.facts().count("message.created") == 2, "the question and its answer, once each"


@pytest.mark.one_database
async def test_a_repeat_while_it_waits_and_after_it_was_withdrawn(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["first"], gates={0: gate}))
    chat = await session()
    first = await host.ask(chat)
    asked = await host.ask(chat, "two", ID)
    waiting = await host.ask(chat, "two", ID)
    assert (waiting.run_id, waiting.queued, waiting.message.position) == (asked.run_id, True, None)
    await host.listener.fact("turn.queued")
    assert host.listener.facts().count("turn.queued") == 1
    await host.stop(chat, asked.run_id)
    withdrawn = await host.ask(chat, "two", ID)
    assert (withdrawn.run_id, withdrawn.queued, withdrawn.message.status) == (asked.run_id, False, "stopped")
    gate.open()
    await host.listener.end_of(first.run_id)
    assert [text for _, text, _ in await said(chat)] == ["hello", "first"]


async def test_repeats_at_once_are_one_turn(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    hosts = [await new_host(), await new_host()]
    chat = await session()
    asked = await asyncio.gather(
        *(hosts[number % 2].runner.service.start_turn(hosts[0].user_id, chat, "one", ID) for number in range(6))
    )
    assert len({each.run_id for each in asked}) == 1
    assert sum(not each.repeated for each in asked) == 1
    assert await counts() == (1, 1)


async def test_a_taken_id_is_a_conflict(host: Host, session: NewSession) -> None:
    chat, elsewhere = await session(), await session()
    asked = await host.ask(chat, "one", ID)
    with pytest.raises(Conflict) as refused:
        await host.ask(chat, "other words", ID)
    assert refused.value.data == {"message_id": str(ID)}
    with pytest.raises(Conflict):
        await host.ask(elsewhere, "one", ID)
    await host.listener.end_of(asked.run_id)
    assert await counts() == (1, 1)


@pytest.mark.parametrize("gone", ["edited", "deleted"])
async def test_an_id_stays_taken_after_its_message_was_edited_or_deleted(
    host: Host, session: NewSession, gone: str
) -> None:
    chat = await session()
    asked = await host.ask(chat, "one", ID)
    await host.listener.end_of(asked.run_id)
    mine = Message.objects.filter(public_id=ID)
    await database.write(mine.delete if gone == "deleted" else lambda: mine.update(text="edited"))
    assert (await host.ask(chat, "one", ID)).run_id == asked.run_id
    with pytest.raises(Conflict):
        await host.ask(chat, "edited", ID)


async def test_an_id_stays_taken_after_its_session_was_deleted(host: Host, session: NewSession) -> None:
    chat = await session()
    asked = await host.ask(chat, "one", ID)
    await host.listener.end_of(asked.run_id)
    await host.runner.service.delete_session(host.user_id, chat)
    with pytest.raises(NotFound):
        await host.ask(chat, "one", ID)
    with pytest.raises(Conflict):
        await host.ask(await session(), "one", ID)


@pytest.mark.one_database
async def test_the_ids_of_answers_are_taken_too(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    answer = await database.read(lambda: Message.objects.get(role="assistant").public_id)
    with pytest.raises(Conflict):
        await host.ask(chat, "hello", answer)


async def test_the_id_of_an_answer_under_way_is_taken_before_it_is_stored(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat, elsewhere = await session(), await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    answer = (await host.open(chat))["run"].message_id
    for session_id in (chat, elsewhere):
        with pytest.raises(Conflict):
            await host.ask(session_id, "mine", answer)
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert await said(chat) == [("user", "hello", "complete"), ("assistant", "One two", "complete")]


@pytest.mark.one_database
async def test_another_users_ids_are_not_known(new_host: NewHost, host: Host, session: NewSession) -> None:
    outsider = await database.write(get_user_model().objects.create_user, "outsider")
    chat, theirs = await session(), await new_session(outsider.pk)
    await host.ask(chat, "one", ID)
    with pytest.raises(NotFound):
        await host.runner.service.start_turn(outsider.pk, chat, "one", ID)
    taken = await host.runner.service.start_turn(outsider.pk, theirs, "one", ID)
    assert (taken.message.id, taken.repeated) == (ID, False)


async def age_of_the_first() -> float:
    """Seconds since the first turn was asked for."""
    claim = await database.read(lambda: MessageClaim.objects.earliest("created_at"))
    return (timezone.now() - claim.created_at).total_seconds()


async def test_turns_a_minute(host: Host, session: NewSession, settings: Any) -> None:
    settings.HERMES_TURNS_PER_MINUTE = 2
    chats = [await session(), await session()]
    first, second = uuid4(), uuid4()
    await host.ask(chats[0], "one", first)
    await host.ask(chats[1], "two", second)
    with pytest.raises(TooMany) as refused:
        await host.ask(chats[0], "three", ID)
    assert 60 - await age_of_the_first() <= refused.value.data["retry_after"] <= 60
    # A repeat counts against no limit, and what was refused is not counted.
    assert (await host.ask(chats[0], "one", first)).repeated
    assert await counts() == (2, 2)

    def a_minute_passes() -> None:
        MessageClaim.objects.filter(message_id=first).update(created_at=timezone.now() - timedelta(seconds=60))

    await database.write(a_minute_passes)
    assert not (await host.ask(chats[0], "three", ID)).repeated


async def test_a_hosts_clock_has_no_say_in_the_minute(
    host: Host, session: NewSession, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HERMES_TURNS_PER_MINUTE = 1
    chat = await session()
    await host.ask(chat, "one")
    ahead = timezone.now() + timedelta(minutes=2)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    with pytest.raises(TooMany):
        await host.ask(chat, "two")


@pytest.mark.one_database
async def test_the_wait_that_is_named_is_enough(host: Host, session: NewSession, settings: Any) -> None:
    settings.HERMES_TURNS_PER_MINUTE = 2
    chat = await session()
    for number in range(2):
        await host.ask(chat, f"text {number}")

    def seconds_pass(seconds: int) -> None:
        for claim in MessageClaim.objects.all():
            MessageClaim.objects.filter(pk=claim.pk).update(created_at=claim.created_at - timedelta(seconds=seconds))

    await database.write(seconds_pass, 20)
    with pytest.raises(TooMany) as refused:
        await host.ask(chat)
    wait = refused.value.data["retry_after"]
    assert 60 - await age_of_the_first() <= wait <= 40
    await database.write(seconds_pass, wait)
    assert (await host.ask(chat)).run_id


async def test_turns_of_two_sessions_at_once_do_not_share_the_last_place(
    new_host: NewHost, session: NewSession, settings: Any
) -> None:
    settings.HERMES_TURNS_PER_MINUTE = 3
    hosts = [await new_host(), await new_host()]
    chats = [await session() for _ in range(6)]
    asked = await asyncio.gather(
        *(hosts[n % 2].runner.service.start_turn(hosts[0].user_id, chat, "one", None) for n, chat in enumerate(chats)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, TooMany) for each in asked) == 3
    assert await counts() == (3, 3)


@pytest.mark.one_database
async def test_one_users_turns_are_not_counted_against_another(host: Host, session: NewSession, settings: Any) -> None:
    settings.HERMES_TURNS_PER_MINUTE = 1
    other = await database.write(get_user_model().objects.create_user, "other")
    await host.ask(await session())
    theirs = await new_session(other.pk)
    assert (await host.runner.service.start_turn(other.pk, theirs, "one", None)).run_id
