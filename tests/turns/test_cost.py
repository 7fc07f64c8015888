"""A turn costs the same number of queries however long the conversation is."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.db.backends.utils import CursorWrapper

from agentcache import Stamp
from sessions_app import database
from sessions_app.database import hops
from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.rows import Row
from sessions_app.models import Budget, ChatSession, Message, Per, Unit
from sessions_app.turn_store.beginning import load
from sessions_app.turns import memory
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, be_quiet, idle
from tests.turns.remembered import remember
from tests.turns.steps import regenerated
from tests.turns.summaries import compacted

pytestmark = pytest.mark.one_database

STATEMENTS_TO_ASK, STATEMENTS_TO_END = 16, 11
CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


@contextmanager
def queries(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that any thread sends to the database, but for heartbeats."""
    sent: list[str] = []
    execute: Callable[..., Any] = CursorWrapper.execute

    def counted(self: Any, sql: str, params: Any = None) -> Any:
        sent.append(re.sub(r"SAVEPOINT .*", "SAVEPOINT", sql))
        return execute(self, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", counted)
        yield sent


def fill(session_id: UUID, count: int) -> None:
    chat_session = ChatSession.objects.get(pk=session_id)
    Message.objects.bulk_create(
        Message(
            owner_id=chat_session.owner_id,
            chat_session=chat_session,
            branch_id=chat_session.active_branch_id,
            position=position,
            role=("user", "assistant")[position % 2],
            text=f"message {position}",
        )
        for position in range(count)
    )


async def statements_of_a_turn(
    host: Host, chat: UUID, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    provider.script(Answer(calls=[CALCULATE]), Answer(["It is 42."]))
    with queries(monkeypatch) as sent:
        turn = await host.turn(chat)
        await idle(host)
    assert turn.guard_transcript == "kept"
    # Sorted: reads of the journal and of the stamp run beside each other.
    return sorted(sent)


async def test_a_turn_writes_in_two_hops_by_so_many_statements(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a plain turn costs the writers' thread, BEGIN among it: more needs a reason, and is written here."""
    chat = await session()
    await host.turn(chat)
    await be_quiet(host)
    await idle(host)
    statements: list[str] = []
    transactions: list[int] = []
    execute: Any = getattr(CursorWrapper, "_execute_with_wrappers")  # noqa: B009 - django-stubs do not know it
    write = hops._Attempt.write

    def counted(self: Any, sql: str, params: Any, many: bool, executor: Any) -> Any:
        if threading.current_thread().name.startswith("database-write"):
            statements.append(sql)
        return execute(self, sql, params, many, executor)

    def noted(self: Any, work: Callable[[], Any]) -> Any:
        before = len(statements)
        try:
            return write(self, work)
        finally:
            transactions.append(len(statements) - before)

    monkeypatch.setattr(CursorWrapper, "_execute_with_wrappers", counted)
    monkeypatch.setattr(hops._Attempt, "write", noted)
    await host.turn(chat)
    await idle(host)
    assert transactions == [STATEMENTS_TO_ASK, STATEMENTS_TO_END], statements


async def test_at_message_10_and_at_message_2000(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    # A second may pass in one of the two turns and not in the other.
    await be_quiet(host)
    for count in (10, 2_000):
        chat = await session()
        await database.write(fill, chat, count)
        await host.turn(chat)
        await idle(host)
        costs.append(await statements_of_a_turn(host, chat, provider, monkeypatch))
    short, long = costs
    assert short == long
    assert len(short) <= 60


async def test_with_10_branches_and_with_none(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    await be_quiet(host)
    for branches in (0, 10):
        chat = await session()
        await host.turn(chat)
        for _ in range(branches):
            await regenerated(host, chat)
        await host.turn(chat)
        await idle(host)
        costs.append(await statements_of_a_turn(host, chat, provider, monkeypatch))
    assert costs[0] == costs[1]


@pytest.mark.thorough
async def test_with_5_summaries_and_with_none(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    await be_quiet(host)
    for summaries in (0, 5):
        chat = await session()
        await host.turn(chat)
        for _ in range(summaries):
            await compacted(host, chat)
            await host.turn(chat)
        await idle(host)
        costs.append(await statements_of_a_turn(host, chat, provider, monkeypatch))
    assert costs[0] == costs[1]


@pytest.mark.thorough
async def test_what_summaries_cover_is_not_read(
    new_host: NewHost, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    host = await new_host()
    for _ in range(5):
        await host.turn(chat)
        await compacted(host, chat)
    loaded: list[int] = []
    monkeypatch.setattr(memory, "load", lambda session_id: _noted(loaded, load(session_id)))
    await (await new_host()).turn(chat)
    assert loaded == [2]


def _noted(loaded: list[int], found: tuple[list[Row], Stamp]) -> tuple[list[Row], Stamp]:
    loaded.append(len(found[0]))
    return found


@pytest.mark.thorough
async def test_with_20_memories_and_with_one(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the line tells of the user's memory is one statement more, and none where there never was a memory."""
    costs = []
    await be_quiet(host)
    for count in (0, 1, 19):
        for number in range(count):
            await remember(host, f"memory {count} {number}")
        chat = await session()
        await host.turn(chat)
        await host.turn(chat)
        await idle(host)
        costs.append(await statements_of_a_turn(host, chat, provider, monkeypatch))
    none, one, many = costs
    assert one == many
    [more] = set(one) - set(none)
    assert (len(one), more.count("WITH RECURSIVE line")) == (len(none) + 1, 1)


@pytest.mark.thorough
async def test_opening_a_long_session_costs_as_many_queries_as_a_short_one(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    await be_quiet(host)
    for count in (60, 2000):
        chat = await session()
        await database.write(fill, chat, count)
        with queries(monkeypatch) as sent:
            await host.open(chat)
        costs.append(sent)
    assert costs[0] == costs[1]


async def test_reading_a_long_session_is_not_the_event_loops_work(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await session()
    await database.write(fill, chat, 2000)
    threads: Counter[int] = Counter()
    append = CachedTranscript.append

    def counted(transcript: CachedTranscript, row: Row) -> None:
        threads[threading.get_ident()] += 1
        append(transcript, row)

    monkeypatch.setattr(CachedTranscript, "append", counted)
    await host.turn(chat)
    # The answer; the user's message is read with the others.
    assert threads[threading.get_ident()] == 1
    assert sum(threads.values()) == 2002


async def test_with_a_budget_and_with_none(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has no budget pays no statement for those of others; who has one pays the same in every turn."""
    costs = []
    await be_quiet(host)
    others = await database.write(lambda: Group.objects.create(name="others"))
    for owner in (None, Budget(group=others), Budget(user_id=host.user_id), None):
        if owner is not None:
            owner.per, owner.unit, owner.amount = Per.DAY, Unit.TOKENS, 10**9
            await database.write(owner.save)
        chat = await session()
        await host.turn(chat)
        await idle(host)
        with queries(monkeypatch) as sent:
            await host.turn(chat)
            await idle(host)
        costs.append(sorted(sent))
    none, of_others, own, again = costs
    assert none == of_others
    assert own == again
    # Two reserve, two settle; and two updates of counters, which go in one go with those of other budgets.
    assert len(own) == len(none) + 4
    # The audit, which is always on, has nothing to say of a turn.
    assert not any("audit" in statement for statement in own)
