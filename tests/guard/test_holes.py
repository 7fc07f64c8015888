"""The holes of the seed's system that one process can show, each by name, through the runner and a real database."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model

from sessions_app import database
from sessions_app.models import Branch, ChatSession, Message
from tests.guard import writes
from tests.guard.oracle import Oracle, stored
from tests.guard.writes import Elsewhere, Write
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import CHAT, NewHost, NewSession
from tests.turns.host import Host, guard_of, new_session, said, stands_at, stored_turn

KEPT = ("reused", "kept", "same stamp")
CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


async def elsewhere(session_id: UUID, write: Write, seed: int = 1) -> None:
    await database.write(lambda: write(Elsewhere(session_id, random.Random(seed))))


def sent(provider: Provider, index: int = -1) -> list[tuple[str, str]]:
    """The last request's conversation, without the system prompt."""
    return [(m["role"], m["content"]) for m in provider.requests[index].json["messages"][1:]]


async def all_that_is_stored(session_id: UUID) -> bytes:
    now = await database.read(stored, session_id)
    return await Oracle(CHAT).body(session_id, now.prefix, now.rows)


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (writes.edit, "rewritten elsewhere"),
        pytest.param(writes.edit_by_sql, "rewritten elsewhere", marks=pytest.mark.both_databases),
        (writes.undo_and_say, "rewritten elsewhere"),
        (writes.put_in_its_place, "rewritten elsewhere"),
        (writes.undo, "rewritten elsewhere"),
        (writes.delete_all, "rewritten elsewhere"),
        (writes.fork, "rewritten elsewhere"),
        (writes.freeze_anew, "rewritten elsewhere"),
        pytest.param(writes.insert_by_sql, "grew by 1 elsewhere", marks=pytest.mark.both_databases),
        (writes.answer_nothing, "grew by 1 elsewhere"),
    ],
)
async def test_every_change_is_seen_also_one_that_leaves_the_count_as_it_was(
    host: Host, session: NewSession, provider: Provider, write: Write, reason: str
) -> None:
    chat = await session()
    for _ in range(2):
        await host.turn(chat)
    await elsewhere(chat, write)
    gate = Gate()
    provider.script(Answer(["x"], gates={0: gate}))
    asked = await host.ask(chat)
    await stands_at(gate)
    assert provider.bodies[-1] == await all_that_is_stored(chat)
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert guard_of(await stored_turn(asked.run_id)) == ("reused", "read", reason)
    assert guard_of(await host.turn(chat)) == KEPT


async def test_a_rename_is_no_change_of_the_transcript(host: Host, session: NewSession) -> None:
    chat = await session()
    await host.turn(chat)
    await elsewhere(chat, writes.rename)
    assert guard_of(await host.turn(chat)) == KEPT


@pytest.mark.both_databases
async def test_a_foreign_write_during_our_answer_is_not_absorbed(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat)
    gate = Gate()
    provider.script(Answer(["ours"], gates={0: gate}))
    asked = await host.ask(chat)
    await stands_at(gate)
    await elsewhere(chat, writes.say)
    gate.open()
    await host.listener.end_of(asked.run_id)
    # It was not refused either: who owns the turn may write.
    assert [text for _, text, _ in await said(chat)][-1] == "ours"
    after = await host.turn(chat)
    assert guard_of(after) == ("reused", "read", "grew by 2 elsewhere")
    assert [text for role, text in sent(provider) if text.startswith("elsewhere")]
    assert guard_of(await host.turn(chat)) == KEPT


@pytest.mark.both_databases
async def test_a_foreign_write_between_two_steps_of_a_turn_is_in_the_next_request(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat)
    gates = [Gate(), Gate()]
    provider.script(Answer(calls=[CALCULATE], gates={0: gates[0]}), Answer(["42"], gates={0: gates[1]}))
    asked = await host.ask(chat)
    await stands_at(gates[0])
    await elsewhere(chat, writes.say)
    gates[0].open()
    await stands_at(gates[1])
    assert provider.bodies[-1] == await all_that_is_stored(chat)
    assert any(text and text.startswith("elsewhere") for _, text in sent(provider))
    gates[1].open()
    await host.listener.end_of(asked.run_id)
    assert guard_of(await host.turn(chat)) == KEPT


async def test_a_foreign_write_to_b_is_seen_although_the_last_turn_was_in_a(host: Host, session: NewSession) -> None:
    a, b = await session(), await session()
    await host.turn(b)
    await host.turn(a)
    await elsewhere(b, writes.say)
    assert guard_of(await host.turn(a)) == KEPT
    assert guard_of(await host.turn(b)) == ("reused", "read", "grew by 1 elsewhere")


async def test_a_foreign_write_to_b_while_a_is_answered_leaves_a_alone(
    host: Host, session: NewSession, provider: Provider
) -> None:
    a, b = await session(), await session()
    await host.turn(a)
    await host.turn(b)
    gate = Gate()
    provider.script(Answer(["x"], gates={0: gate}))
    asked = await host.ask(a)
    await stands_at(gate)
    await elsewhere(b, writes.edit)
    gate.open()
    await host.listener.end_of(asked.run_id)
    assert guard_of(await host.turn(a)) == KEPT
    assert guard_of(await host.turn(b)) == ("reused", "read", "rewritten elsewhere")


async def test_an_agent_reused_for_b_never_writes_to_a_also_when_both_run_at_once(
    host: Host, session: NewSession, provider: Provider
) -> None:
    a, b = await session(), await session()
    for chat in (a, b):
        await host.turn(chat, "first")
    gates = [Gate(), Gate(), Gate()]
    provider.script(Answer(calls=[CALCULATE], gates={0: gates[0]}))
    in_a = await host.ask(a, "to a")
    await stands_at(gates[0])
    provider.script(Answer(["of b"], gates={0: gates[1]}))
    in_b = await host.ask(b, "to b")
    await stands_at(gates[1])
    provider.script(Answer(["of a"], gates={0: gates[2]}))
    gates[0].open()
    await stands_at(gates[2])
    gates[1].open()
    await host.listener.end_of(in_b.run_id)
    gates[2].open()
    await host.listener.end_of(in_a.run_id)
    word = "word0 word1 word2 word3 word4 "
    assert [text for _, text, _ in await said(a)] == ["first", word, "to a", "", "42", "of a"]
    assert [text for _, text, _ in await said(b)] == ["first", word, "to b", "of b"]
    for chat in (a, b):
        assert guard_of(await host.turn(chat)) == KEPT
    assert host.runner.pool.statistics().builds == 1


async def test_two_users_share_nothing(new_host: NewHost, host: Host, session: NewSession) -> None:
    other = await database.write(get_user_model().objects.create_user, "other")
    theirs = host.of(other.pk)
    await host.turn(await session())
    turn = await theirs.turn(await new_session(other.pk))
    assert guard_of(turn) == ("built", "read", "first turn here")
    assert host.runner.pool.statistics().builds == 2


async def test_an_answer_goes_behind_the_fork_also_where_what_was_before_it_is_gone(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    for _ in range(2):
        await host.turn(chat)

    def fork_and_cut() -> None:
        trunk = Branch.objects.get(chat_session=chat)
        fork = Branch.objects.create(chat_session_id=chat, parent=trunk, fork_position=3)
        ChatSession.objects.filter(pk=chat).update(active_branch=fork)
        Message.objects.filter(position__gte=1).delete()

    await database.write(fork_and_cut)
    await host.turn(chat, "after it")
    assert sent(provider) == [("user", "hello"), ("user", "after it")]
    assert len(await said(chat)) == 3
    assert guard_of(await host.turn(chat)) == KEPT


@pytest.mark.both_databases
async def test_a_row_moved_to_another_session_is_shown_in_neither_and_blocks_none(
    host: Host, session: NewSession
) -> None:
    """Its branch says one session and its stamp another."""
    chat, other = await session(), await session()
    await host.turn(chat)
    await database.write(lambda: Message.objects.filter(position=1).update(chat_session=other))
    assert [role for role, _, _ in await said(chat)] == ["user"]
    assert await said(other) == []
    assert guard_of(await host.turn(chat))[1:] == ("read", "rewritten elsewhere")


async def test_ten_turns_at_once_of_one_user_build_one_agent(host: Host, session: NewSession) -> None:
    chats = [await session() for _ in range(10)]
    turns = await asyncio.gather(*(host.turn(chat) for chat in chats))
    assert {turn.status for turn in turns} == {"complete"}
    figures = host.runner.pool.statistics()
    assert (figures.builds, figures.hits, figures.transcripts) == (1, 9, 10)
