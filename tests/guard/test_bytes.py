"""Byte identity through the whole stack: each request is the stored transcript, and repeats the last one exactly."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from typing import Any
from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.models import AgentProfile, Turn
from tests.guard.oracle import Oracle, stored
from tests.guard.wires import each_wire_on_one_database, over_anthropic, over_chat, over_responses
from tests.llm.talking import extends, timeless
from tests.processes import Process
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import ANTHROPIC, CHAT, RESPONSES, NewHost, NewSession
from tests.turns.foreign import foreign
from tests.turns.host import Host, guard_of, idle, stands_at
from tests.turns.test_cost import fill

pytestmark = pytest.mark.usefixtures("wire")

# What PostgreSQL gives back is read whole by one test here, and in chunks by another; the others ask more of the cache,
# and no more of the database.


def think_call_and_say(provider: Provider, times: int = 1) -> None:
    for _ in range(times):
        provider.script(
            Answer(reasoning=["Let ", "me see."], calls=[Call("calculator", '{ "expression":"6 * 7"}')]),
            Answer(["It ", "is 42: ", "ä\u2028🎈"], reasoning=["So."]),
        )


def assert_each_extends_the_last(bodies: list[bytes]) -> None:
    for earlier, later in itertools.pairwise(bodies):
        assert extends(later, earlier)


async def test_across_turns(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    think_call_and_say(provider, 4)
    for number in range(4):
        await host.turn(chat, f'Number {number}: "äöü" \u2028 \\ 🎈?')
    assert len(provider.bodies) == 8
    assert_each_extends_the_last(provider.bodies)


@each_wire_on_one_database
async def test_it_is_what_is_stored(host: Host, session: NewSession, provider: Provider, wire: str) -> None:
    chat = await session()
    think_call_and_say(provider, 2)
    oracle = Oracle(wire)
    for number in range(3):
        gate = Gate()
        if number == 2:
            provider.script(Answer(["x"], gates={0: gate}))
            asked = await host.ask(chat, "last")
            await stands_at(gate)
            now = await database.read(stored, chat)
            assert timeless(provider.bodies[-1]) == await oracle.body(chat, now.prefix, now.rows)
            gate.open()
            await host.listener.end_of(asked.run_id)
        else:
            await host.turn(chat, f"number {number}")


@over_anthropic
async def test_after_hopping_among_sessions(host: Host, session: NewSession, provider: Provider) -> None:
    chats = [await session() for _ in range(3)]
    think_call_and_say(provider, 9)
    by_chat: dict[UUID, list[bytes]] = {chat: [] for chat in chats}
    for chat in (0, 1, 0, 2, 1, 2, 2, 0, 1):
        seen = len(provider.bodies)
        turn = await host.turn(chats[chat])
        by_chat[chats[chat]] += provider.bodies[seen:]
        assert turn.guard_reason in ("first turn here", "same stamp")
    for bodies in by_chat.values():
        assert len(bodies) == 6
        assert_each_extends_the_last(bodies)
    assert host.runner.pool.statistics().builds == 1


@over_responses
async def test_after_a_profile_was_edited(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    think_call_and_say(provider, 2)
    await host.turn(chat)

    def edit() -> None:
        AgentProfile.objects.update(system_prompt="Another.", tools=["calculator"])

    await database.write(edit)
    turn = await host.turn(chat)
    assert guard_of(turn) == ("reused", "kept", "same stamp")
    assert_each_extends_the_last(provider.bodies)
    await host.turn(await session())
    assert b"Another." in provider.bodies[-1]
    assert b"search_chats" not in provider.bodies[-1]


@over_chat
async def test_after_an_eviction(
    new_host: NewHost, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions_app.turns.pool.MAX_IDLE_SECONDS", 0.0)
    host = await new_host()
    chat = await session()
    think_call_and_say(provider, 3)
    for _ in range(3):
        turn = await host.turn(chat)
        await idle(host)
        await host.runner.pool.sweep()
    assert guard_of(turn) == ("built", "read", "first turn here")
    assert host.runner.pool.statistics().expired == 3
    assert_each_extends_the_last(provider.bodies)


@over_anthropic
async def test_after_a_transcript_was_dropped_for_room(
    new_host: NewHost, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions_app.turns.pool.MAX_BYTES", 1)
    host = await new_host()
    chat = await session()
    think_call_and_say(provider, 2)
    await host.turn(chat)
    await idle(host)  # it is dropped when the turn gives the agent back
    assert guard_of(await host.turn(chat)) == ("reused", "read", "first turn here")
    assert_each_extends_the_last(provider.bodies)


@over_responses
async def test_in_another_process_of_this_test_and_back(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    one, other = await new_host(), await new_host()
    chat = await session()
    think_call_and_say(provider, 4)
    for host in (one, other, one, other):
        turn = await host.turn(chat)
    assert guard_of(turn) == ("reused", "read", "grew by 4 elsewhere")
    assert_each_extends_the_last(provider.bodies)


@over_chat
@pytest.mark.parametrize("wires", [[CHAT], pytest.param([RESPONSES, ANTHROPIC], marks=pytest.mark.thorough)])
async def test_in_a_process_that_was_really_started_anew(
    host: Host, session: NewSession, provider: Provider, settings: Any, wires: list[str]
) -> None:
    """The process has a turn of each, for a start takes as long as all else here."""
    chats = {wire: await session() for wire in wires}
    think_call_and_say(provider, 3 * len(wires))
    bodies: dict[str, list[bytes]] = {wire: [] for wire in wires}

    async def turns(text: str) -> list[Turn]:
        done = []
        for settings.HERMES_MODEL, chat in chats.items():
            done.append(await host.turn(chat, text))
            bodies[settings.HERMES_MODEL] += provider.bodies[-2:]
        return done

    await turns("one")
    env = {
        "DJANGO_SETTINGS_MODULE": "hermes_site.settings",
        "DATABASE_URL": foreign().url,
        "SECRET_KEY": "tests-only",
        # So that nothing hangs on the order of a set or of a dictionary's hashes.
        "PYTHONHASHSEED": "7",
    }
    named = [f"{wire}={chat}" for wire, chat in chats.items()]
    command = [sys.executable, "-m", "tests.guard.one_turn", str(host.user_id), "two", *named]
    process = await asyncio.to_thread(Process, command, env={**os.environ, **env})
    decided = [await asyncio.to_thread(process.line, "guard") for _ in wires]
    assert await asyncio.to_thread(process.wait) == 0
    assert len(provider.bodies) == 4 * len(wires)
    for number, wire in enumerate(wires):
        bodies[wire] += provider.bodies[2 * (len(wires) + number) :][:2]
    assert [turn.guard_reason for turn in await turns("three")] == ["grew by 4 elsewhere"] * len(wires)
    for wire in wires:
        assert len(bodies[wire]) == 6
        assert_each_extends_the_last(bodies[wire])
    assert decided == [f"guard {agent} read first turn here" for agent in ["built", *["reused"] * (len(wires) - 1)]]


@each_wire_on_one_database
async def test_of_a_long_transcript_that_is_read_in_chunks(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    chat = await session()
    await database.write(fill, chat, 333)
    gate = Gate()
    provider.script(Answer(["x"], gates={0: gate}))
    asked = await host.ask(chat, "one")
    await stands_at(gate)
    now = await database.read(stored, chat)
    assert timeless(provider.bodies[-1]) == await Oracle(wire).body(chat, now.prefix, now.rows)
    gate.open()
    await host.listener.end_of(asked.run_id)
    await host.turn(chat, "two")
    assert_each_extends_the_last(provider.bodies)
