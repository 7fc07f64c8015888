"""What a user may store: at the limit there is no more, whoever wrote it and however many ask at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model

from sessions_app import database
from sessions_app.conversations import storage
from sessions_app.conversations.storage import Stored
from sessions_app.errors import Conflict, NotFound, TooMany
from sessions_app.models import ChatSession, Message, MessageClaim, StorageCount, Turn
from sessions_app.session_store import chats
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.stamps.stored import assert_storage_is_true
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, be_quiet, new_session, said, stands_at
from tests.turns.test_cost import queries

ID = UUID(int=42)


@pytest.fixture(autouse=True)
def _is_true(host: Host) -> Iterator[None]:
    """After each of these tests what is counted is what there is."""
    yield
    assert_storage_is_true()


async def used(user_id: int) -> Stored:
    return await database.read(storage.stored, user_id)


async def write(chat: UUID, *texts: str) -> None:
    """Append messages to a session, as another program does."""

    def insert() -> None:
        row = ChatSession.objects.select_related("stamp").get(pk=chat)
        for position, text in enumerate(texts, row.stamp.message_count):
            place = {"chat_session": row, "branch_id": row.active_branch_id, "owner_id": row.owner_id}
            Message.objects.create(**place, position=position, role="user", text=text)

    await database.write(insert)


async def refused(asked: Awaitable[Any]) -> TooMany:
    with pytest.raises(TooMany) as error:
        await asked
    return error.value


async def test_the_last_session_and_no_other(host: Host, settings: Any) -> None:
    settings.HERMES_SESSIONS_PER_USER = 3
    made = [await new_session(host.user_id) for _ in range(3)]
    error = await refused(new_session(host.user_id))
    assert error.data == {"quota": "sessions", "used": 3, "limit": 3}
    await new_session((await database.write(get_user_model().objects.create_user, "another")).pk)
    await host.runner.service.delete_session(host.user_id, made[0])
    await new_session(host.user_id)


async def test_sessions_made_at_once_are_no_more_than_allowed(host: Host, settings: Any) -> None:
    settings.HERMES_SESSIONS_PER_USER = 5
    made = await asyncio.gather(*(new_session(host.user_id) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(one, TooMany) for one in made) == 7
    assert await used(host.user_id) == Stored(5, 0)


async def test_a_text_that_fits_exactly_and_one_character_more(
    host: Host, session: NewSession, provider: Provider, settings: Any
) -> None:
    provider.script(Answer(["yes"]))
    settings.HERMES_TEXT_QUOTA = 8
    chat = await session()
    error = await refused(host.ask(chat, "é" * 9))
    assert error.data == {"quota": "text", "used": 0, "limit": 8}
    assert await database.read(lambda: (Turn.objects.count(), MessageClaim.objects.count())) == (0, 0)
    await host.listener.end_of((await host.ask(chat, "é" * 8)).run_id)
    # The answer is stored, though there is no room for it.
    assert await used(host.user_id) == Stored(1, 11)
    assert (await refused(host.ask(chat, "x"))).data["used"] == 11
    assert (await refused(new_session(host.user_id))).data["quota"] == "text"


async def test_turns_asked_for_at_once_share_what_is_left(
    new_host: NewHost, session: NewSession, provider: Provider, settings: Any
) -> None:
    provider.script(Answer(["yes"]), Answer(["yes"]))
    settings.HERMES_TEXT_QUOTA = 25
    hosts = [await new_host(), await new_host()]
    places = [(hosts[number % 2], await session()) for number in range(6)]
    asked = await asyncio.gather(*(host.ask(chat, "x" * 10) for host, chat in places), return_exceptions=True)
    assert sum(isinstance(one, TooMany) for one in asked) == 4
    for (host, _), one in zip(places, asked, strict=True):
        if not isinstance(one, BaseException):
            await host.listener.end_of(one.run_id)


async def test_texts_that_wait_or_were_withdrawn_count(
    host: Host, session: NewSession, provider: Provider, settings: Any
) -> None:
    gate = Gate()
    provider.script(Answer(["yes"], gates={0: gate}), Answer(["yes"]))
    settings.HERMES_TEXT_QUOTA = 45
    chat = await session()
    running = await host.ask(chat, "x" * 10)
    await stands_at(gate)
    for _ in range(2):
        await host.stop(chat, (await host.ask(chat, "x" * 10)).run_id)
    queued = await host.ask(chat, "x" * 10)
    assert (await refused(host.ask(chat, "x" * 10))).data["used"] == 40
    gate.open()
    await host.listener.end_of(running.run_id)
    await host.listener.end_of(queued.run_id)
    assert await used(host.user_id) == Stored(1, 46)
    await host.runner.service.delete_session(host.user_id, chat)
    assert await used(host.user_id) == Stored(0, 0)


async def test_what_is_missing_taken_or_repeated_is_told_first(
    host: Host, session: NewSession, provider: Provider, settings: Any
) -> None:
    provider.script(Answer(["yes"]))
    chat = await session()
    first = await host.ask(chat, "one", ID)
    await host.listener.end_of(first.run_id)
    settings.HERMES_TEXT_QUOTA = 1
    assert (await host.ask(chat, "one", ID)).repeated
    with pytest.raises(Conflict):
        await host.ask(chat, "two", ID)
    with pytest.raises(NotFound):
        await host.ask(UUID(int=1), "two")
    await refused(host.ask(chat, "two"))
    assert [text for _, text, _ in await said(chat)] == ["one", "yes"]


async def test_what_other_programs_write_counts(host: Host, session: NewSession, settings: Any) -> None:
    settings.HERMES_TEXT_QUOTA = 10
    chat = await session()
    await write(chat, "x" * 6, "x" * 4)
    assert (await refused(host.ask(chat, "x"))).data["used"] == 10
    await database.write(lambda: Message.objects.filter(position=0).delete())
    await host.listener.end_of((await host.ask(chat, "x")).run_id)


@pytest.mark.thorough
async def test_the_rows_that_count_stay_few(host: Host, session: NewSession, provider: Provider) -> None:
    provider.script(Answer(["yes"]))
    chat = await session()
    for _ in range(60):
        await write(chat, "x")
    await host.listener.end_of((await host.ask(chat, "x")).run_id)
    assert await database.read(StorageCount.objects.filter(owner_id=host.user_id).count) < 10
    assert await used(host.user_id) == Stored(1, 64)


@pytest.mark.thorough
async def test_a_new_session_costs_the_same_however_much_there_is(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await be_quiet(host)
    costs = []
    for count in (1, 30):
        for _ in range(count):
            chat = await session()
        await write(chat, *("x" for _ in range(count * 10)))
        with queries(monkeypatch) as sent:
            await database.write(chats.create, host.user_id, "")
        costs.append(sent)
    assert costs[0] == costs[1]
    assert [sql for sql in costs[0] if "SELECT" in sql and "sessions_app_message" in sql] == []
