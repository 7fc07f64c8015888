"""Titles that a model makes: beside the turns, once, in the ledger, and never over what a person has set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils.timezone import now

from sessions_app import database
from sessions_app.conversations import spending
from sessions_app.conversations.titles import MADE_LENGTH, cleaned
from sessions_app.journal import foreign
from sessions_app.llm.cache_ledger.entries import Entry
from sessions_app.llm.step_events import StepResult
from sessions_app.llm.titles import PROMPT
from sessions_app.llm.usage import Usage
from sessions_app.models import AgentProfile, ChatSession, SessionStamp, Turn, TurnKind
from sessions_app.session_store import chats, titling
from sessions_app.turns import titling as making
from tests.processes import PATIENCE
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, idle, new_session, stands_at, within, worked
from tests.turns.steps import regenerated

pytestmark = pytest.mark.one_database

TITLE_MODEL = "openai-chat:titles"
WORDS = "hello"


@pytest.fixture
async def host(new_host: NewHost) -> Host:
    """A process whose operator names a model for titles."""
    return await new_host(title_model=TITLE_MODEL)


@pytest.fixture
def own_server() -> Iterator[Provider]:
    """A server that a profile names."""
    running = Provider()
    yield running
    running.close()


async def titled(*hosts: Host) -> None:
    """Return once no title is under way."""
    for host in hosts:
        await worked(host)
        assert host.runner.titles is not None
        while work := host.runner.titles.work:
            await within(asyncio.wait(work))


async def title_of(session_id: UUID) -> str:
    return (await database.read(lambda: ChatSession.objects.get(pk=session_id))).title


def asked_for_titles(provider: Provider) -> list[Any]:
    return [request.json for request in provider.requests if request.json["model"] == "titles"]


async def rename(user_id: int, session_id: UUID, title: str) -> None:
    await database.write(chats.update, user_id, session_id, chats.Changes(title=title))


async def test_the_first_answer_brings_a_title(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    provider.script(Answer(words=["It rains."]), Answer(words=["“**Weather** in Paris”\n", "more"]))
    await host.turn(chat, "What is the *weather* in Paris?")
    await titled(host)
    await idle(host)
    assert await title_of(chat) == "Weather in Paris"
    [request] = asked_for_titles(provider)
    assert request["messages"][0]["content"] == PROMPT
    assert "What is the *weather* in Paris?" in request["messages"][1]["content"]
    assert "It rains." in request["messages"][1]["content"]
    assert "tools" not in request
    told = [event["event"]["value"]["title"] for event in host.listener.events if _is_update(event)]
    assert told[-1] == "Weather in Paris"
    await host.turn(chat, "And tomorrow?")
    await titled(host)
    assert len(asked_for_titles(provider)) == 1


def _is_update(event: dict[str, Any]) -> bool:
    return bool(event["event"].get("name") == "session.updated")


async def test_without_a_model_the_first_words_stay(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    host, chat = await new_host(), await session()
    await host.turn(chat)
    await worked(host)
    assert host.runner.titles is None
    assert (await title_of(chat), len(provider.requests)) == (WORDS, 1)


async def test_no_turn_waits_for_a_title(host: Host, session: NewSession, provider: Provider) -> None:
    chat, gate = await session(), Gate()
    provider.script(Answer(words=["one"]), Answer(words=["A title"], gates={0: gate}))
    await host.turn(chat)
    await stands_at(gate)
    assert (await host.turn(chat)).status == "complete"
    assert await title_of(chat) == WORDS
    gate.open()
    await titled(host)
    assert await title_of(chat) == "A title"


async def test_a_title_keeps_the_transcript_warm_and_is_no_foreign_write(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    await titled(host)
    assert await title_of(chat) != WORDS
    assert not await foreign.is_behind(chat)
    later = await host.turn(chat)
    assert (later.guard_agent, later.guard_transcript) == ("reused", "kept")
    assert await database.read(foreign.find, host.user_id) == []


@pytest.mark.both_databases
async def test_what_a_person_sets_meanwhile_stays(host: Host, session: NewSession, provider: Provider) -> None:
    chat, gate = await session(), Gate()
    provider.script(Answer(words=["one"]), Answer(words=["A title"], gates={0: gate}))
    await host.turn(chat)
    await stands_at(gate)
    await rename(host.user_id, chat, WORDS)
    gate.open()
    await titled(host)
    assert await title_of(chat) == WORDS
    assert await database.read(Turn.objects.filter(kind=TurnKind.TITLE).count) == 1


async def test_a_session_that_a_person_has_named_gets_none(host: Host, session: NewSession, provider: Provider) -> None:
    named, renamed = await session(WORDS), await session()
    provider.script(Answer(status=400))
    await host.turn(renamed)
    await rename(host.user_id, renamed, "Mine")
    await regenerated(host, renamed)
    await host.turn(named)
    await titled(host)
    assert asked_for_titles(provider) == []


async def test_a_first_answer_after_a_failure_brings_a_title(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    provider.script(Answer(status=400))
    await host.turn(chat)
    await titled(host)
    assert asked_for_titles(provider) == []
    provider.script(Answer(words=["one"]), Answer(words=["A title"]))
    await regenerated(host, chat)
    await titled(host)
    assert await title_of(chat) == "A title"


NO_TITLES = [Answer(words=[" "]), Answer(words=["ab"], cut=1)]


@pytest.mark.parametrize(
    "answer",
    [Answer(status=500), Answer(words=['""']), *(pytest.param(each, marks=pytest.mark.thorough) for each in NO_TITLES)],
)
async def test_where_no_title_comes_the_first_words_stay(
    host: Host, session: NewSession, provider: Provider, answer: Answer
) -> None:
    chat = await session()
    provider.script(Answer(words=["one"]), *([answer] * 2))
    await host.turn(chat)
    await titled(host)
    provider.forget()
    await host.turn(chat)
    await titled(host)
    assert (await title_of(chat), asked_for_titles(provider)) == (WORDS, [])


async def test_two_processes_make_one_title(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    hosts, chat, gate = [await new_host(title_model=TITLE_MODEL) for _ in range(2)], await session(), Gate()
    provider.script(Answer(words=["one"]), Answer(words=["A title"], gates={0: gate}))
    await hosts[0].turn(chat)
    await stands_at(gate)
    await hosts[1].turn(chat)
    await regenerated(hosts[1], chat)
    await titled(hosts[1])
    gate.open()
    await titled(hosts[0])
    assert (await title_of(chat), len(asked_for_titles(provider))) == ("A title", 1)


@pytest.mark.both_databases
@pytest.mark.thorough
async def test_only_one_claim_of_a_session_counts(host: Host, session: NewSession) -> None:
    chat = await session()
    turn = await host.turn(chat)
    await titled(host)
    await database.write(lambda: ChatSession.objects.filter(pk=chat).update(title=WORDS, title_by=""))
    claims = [database.write(titling.claim, host.user_id, chat, WORDS, turn.pk) for _ in range(4)]
    assert sorted(await asyncio.gather(*claims)) == [False, False, False, True]


async def test_what_was_said_to_a_server_of_ones_own_goes_to_no_other(
    host: Host, session: NewSession, provider: Provider, own_server: Provider
) -> None:
    chat = await session()
    await database.write(lambda: AgentProfile.objects.update(base_url=own_server.base_url))
    await host.turn(chat, WORDS)
    await titled(host)
    assert await title_of(chat) == WORDS
    assert provider.requests == []


@pytest.mark.thorough
async def test_users_take_turns(
    new_host: NewHost, provider: Provider, django_user_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions_app.turns.titling.AT_ONCE", 1)
    host = await new_host(title_model=TITLE_MODEL)
    other = await database.write(django_user_model.objects.create_user, "other")
    gate = Gate()
    provider.script(Answer(words=["one"]), Answer(words=["A title"], gates={0: gate}))
    for number in range(3):
        chat = await new_session(host.user_id)
        await host.turn(chat, f"mine {number}")
        if not number:
            await stands_at(gate)
    await host.of(other.pk).turn(await new_session(other.pk), "theirs")
    await worked(host)
    gate.open()
    await titled(host)
    order = [request["messages"][1]["content"].split("\n")[1] for request in asked_for_titles(provider)]
    assert order == ["mine 0", "mine 1", "theirs", "mine 2"]


@pytest.mark.thorough
async def test_what_waits_is_bounded_and_a_stop_gives_it_up(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions_app.turns.titling.AT_ONCE", 1)
    monkeypatch.setattr("sessions_app.turns.titling.WAITING_PER_USER", 1)
    gate = Gate()
    provider.script(Answer(words=["one"]), Answer(words=["A title"], gates={0: gate}))
    chats_of = [await session() for _ in range(3)]
    for number, chat in enumerate(chats_of):
        await host.turn(chat, f"mine {number}")
        await worked(host)
        if not number:
            await stands_at(gate)
    gate.open()
    await titled(host)
    assert [await title_of(chat) == f"mine {number}" for number, chat in enumerate(chats_of)] == [False, False, True]
    provider.script(Answer(words=["one"]), Answer(words=["A title"], gates={0: (held := Gate())}))
    last = await session()
    await host.turn(last)
    await stands_at(held)
    assert host.runner.titles is not None
    await within(host.runner.titles.stop())
    assert await title_of(last) == WORDS


async def test_a_deleted_session_takes_its_title_with_it(
    host: Host, session: NewSession, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    chat, gate = await session(), Gate()
    provider.script(Answer(words=["one"]), Answer(words=["A title"], gates={0: gate}))
    await host.turn(chat)
    await stands_at(gate)
    await host.runner.service.delete_session(host.user_id, chat)
    gate.open()
    await titled(host)
    assert "title" not in caplog.text
    assert await database.read(Turn.objects.count) == 0


async def test_a_title_is_in_the_ledger_under_its_own_name(host: Host, session: NewSession) -> None:
    chat = await session()
    turn = await host.turn(chat)
    before = await database.read(spending.totals, chat)
    await titled(host)
    title = await database.read(Turn.objects.get, kind=TurnKind.TITLE)
    assert (title.model, title.owner_id, title.miss, title.status) == ("titles", host.user_id, "", "complete")
    assert title.input_tokens > 0
    totals = await database.read(spending.totals, chat)
    assert totals.turns == before.turns == 1
    assert totals.output_tokens == turn.output_tokens + title.output_tokens
    found = await database.read(spending.postings, turn.created_at - timedelta(seconds=1))
    assert {posting.profile: posting.totals.usage.input_tokens for posting in found} == {
        None: title.input_tokens,
        (await database.read(AgentProfile.default)).pk: turn.input_tokens,
    }


def test_a_title_moves_no_stamp(user: AbstractUser) -> None:
    with transaction.atomic():
        chat = chats.create(user.pk, "").id
    ChatSession.objects.filter(pk=chat).update(title=WORDS)
    stamp = SessionStamp.objects.values().get(chat_session=chat)
    entry = Entry("digest", 0, None, Decimal("0.5"), Decimal(0))
    made = StepResult("A title", (), (), Usage(10, output_tokens=2), "openai", "titles", None, entry)
    with transaction.atomic():
        assert titling.claim(user.pk, chat, WORDS, 0)
        titling.store(user.pk, chat, WORDS, "A title", made)
    assert SessionStamp.objects.values().get(chat_session=chat) == stamp
    assert spending.totals(chat).cost == 0.5
    assert spending.postings(now() - timedelta(hours=1))[0].totals.cost == Decimal("0.5")


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Weather in Paris", "Weather in Paris"),
        ('"Weather in Paris"\n', "Weather in Paris"),
        ("\n\n# **Weather** in `Paris`\n\nIt rains.", "Weather in Paris"),
        ("「パリの天気」", "パリの天気"),
        ("«Погода в Париже»", "Погода в Париже"),
        ("Don't panic", "Don't panic"),
        ("a\x07b\tc\x1b[31m", "ab c[31m"),
        ("```\ncode\n```", "code"),
        ("", ""),
        ("***", ""),
        ("word " * 40, "word " * 14 + "word…"),
        ("x" * 500, "x" * 79 + "…"),
    ],
)
def test_what_a_model_says_becomes_one_short_plain_line(said: str, title: str) -> None:
    assert cleaned(said) == title
    assert len(title) <= MADE_LENGTH


@pytest.mark.thorough
async def test_a_title_offered_as_the_last_work_ends_is_made(
    new_host: NewHost, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "AT_ONCE", 1)
    host, other, gate = await new_host(title_model=TITLE_MODEL), await new_host(), Gate()
    provider.script(Answer(words=["It rains."], gates={0: gate}))
    asked = await other.ask(await session(), WORDS)
    await stands_at(gate)
    [run] = other.runner.runs
    gate.open()
    await other.listener.end_of(asked.run_id)
    await worked(other)
    titles = host.runner.titles
    assert titles is not None
    await host.turn(await session(), WORDS)
    async with asyncio.timeout(PATIENCE):
        while not any(task.done() for task in titles.work):  # noqa: ASYNC110 - for the moment before it is let go
            await asyncio.sleep(0)
    titles.offer(run)
    await titled(host)
    assert len(asked_for_titles(provider)) == 2
