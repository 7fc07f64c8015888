"""For how long prompts are kept, as it is stored with sessions and turns: by whichever process, for each user apart."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model

from sessions_app import database
from sessions_app.conversations import pauses
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.models import ChatSession, Turn, TurnKind
from tests.providers.fixtures import Provider
from tests.turns.clocks import MINUTE, Clocks
from tests.turns.fixtures import ANTHROPIC, CHAT, NewHost, NewSession
from tests.turns.host import Host, idle
from tests.turns.test_cost import queries
from tests.turns.test_titling import titled

pytestmark = pytest.mark.one_database

# More tokens than may be missing without a cause.
LONG = "as long as it takes " * 60


@pytest.fixture
def clocks(provider: Provider, monkeypatch: pytest.MonkeyPatch, settings: Any, model: str) -> Clocks:
    settings.HERMES_MODEL = ANTHROPIC
    return Clocks(provider, monkeypatch)


def record_of(chat: UUID) -> RequestRecord:
    record = RequestRecord.from_json(ChatSession.objects.get(pk=chat).last_request)
    assert record is not None
    return record


@pytest.mark.thorough
async def test_processes_that_take_turns_choose_from_the_same_pauses(
    new_host: NewHost, session: NewSession, clocks: Clocks
) -> None:
    hosts, chat = [await new_host(), await new_host()], await session()
    turns: list[Turn] = []
    for number in range(6):
        clocks.wait(15 * MINUTE)
        turns.append(await hosts[number % 2].turn(chat, LONG))
    assert [turn.retention for turn in turns][-2:] == [3600, 3600]
    assert turns[-1].retention_reason.endswith("an hour's cache is cheaper")
    assert [turn.miss for turn in turns][-2:] == ["", ""]
    record = await database.read(record_of, chat)
    assert (sum(record.pauses), record.retention) == (5.0, 3600.0)


async def test_a_new_session_knows_how_its_user_pauses_and_no_one_else(
    host: Host, session: NewSession, clocks: Clocks
) -> None:
    first, second = await session(), await session()
    for _ in range(4):
        clocks.wait(15 * MINUTE)
        await host.turn(first, LONG)
    await host.turn(second, LONG)
    record = await database.read(record_of, second)
    # Three pauses of fifteen minutes, and one that nobody has come back from.
    assert (record.pauses, sum(record.user_pauses)) == ((), 4.0)

    def of_another() -> tuple[float, ...]:
        return pauses.of_user(get_user_model().objects.create_user("another").pk)

    assert await database.write(of_another) == ()


async def test_only_the_first_request_of_a_session_reads_the_pauses(
    host: Host, session: NewSession, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    chat = await session()
    for _ in range(3):
        with queries(monkeypatch) as sent:
            await host.turn(chat)
            await idle(host)
        reads.append(sum(sql.startswith('SELECT "sessions_app_chatsession"."last_request"') for sql in sent))
    assert reads == [1, 0, 0]


async def test_a_provider_that_leaves_no_choice_has_none_in_the_ledger(
    host: Host, session: NewSession, provider: Provider, settings: Any
) -> None:
    settings.HERMES_MODEL = CHAT
    turn = await host.turn(await session())
    assert (turn.retention, turn.retention_reason) == (None, "")


@pytest.mark.both_databases
async def test_the_request_for_a_title_is_written_to_no_cache(
    new_host: NewHost, session: NewSession, provider: Provider, clocks: Clocks
) -> None:
    host = await new_host(title_model=ANTHROPIC)
    await host.turn(await session(), LONG)
    await titled(host)
    [asked, title] = provider.counts
    assert (asked.written > 0, title.prompt - title.written > len(LONG) // 5) == (True, True)
    kept = await database.read(lambda: dict(Turn.objects.values_list("kind", "retention")))
    assert kept == {TurnKind.MESSAGE: 300, TurnKind.TITLE: 0}


async def test_a_record_that_another_program_has_spoilt_costs_no_turn(
    host: Host, session: NewSession, clocks: Clocks
) -> None:
    chat = await session()
    await host.turn(chat)

    def spoil() -> None:
        row = ChatSession.objects.get(pk=chat)
        row.last_request = row.last_request.replace('"pauses":[]', '"pauses":[-1,1e999]')
        row.save(update_fields=["last_request"])

    await database.write(spoil)
    turn = await host.turn(chat)
    assert (turn.status, turn.retention) == ("complete", 3600)
