"""A profile changes without breaking warm chats: a session follows it when somebody says so, and the ledger says so."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
import pytest_asyncio
from django.contrib.auth.models import AbstractUser

from sessions_app import database
from sessions_app.conversations.session_schemas import SessionShape
from sessions_app.models import AgentProfile, Turn
from sessions_app.session_store import chats
from tests.llm.talking import extends, split
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, stands_at, stored_turn

pytestmark = pytest.mark.one_database

# Far more tokens than may be missing without a cause.
OLD, NEW = "You speak of the sea. " * 100, "You speak of mountains. " * 100
CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


@pytest_asyncio.fixture(autouse=True)
async def old_profile(user: AbstractUser) -> None:
    """New sessions begin with the old prompt."""
    await edit(OLD)


async def edit(prompt: str) -> None:
    def write() -> None:
        profile = AgentProfile.default()
        profile.system_prompt = prompt
        profile.save()

    await database.write(write)


async def apply(host: Host, chat: UUID) -> SessionShape:
    return await database.write(chats.apply_profile, host.user_id, chat)


def prompt_of(body: bytes) -> str:
    """The prompt that a request begins with."""
    return next(text for text in (OLD, NEW) if text.encode() in split(body)[1][0])


def misses(*turns: Turn) -> list[str]:
    return [turn.miss for turn in turns]


async def test_an_edited_profile_changes_no_byte_of_a_session_that_has_begun(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    first = await host.turn(chat, "one")
    await edit(NEW)
    second = await host.turn(chat, "two")
    assert extends(provider.bodies[1], provider.bodies[0])
    assert misses(first, second) == ["first", ""]
    assert second.guard_transcript == "kept"


async def test_an_applied_profile_is_read_anew_once_and_the_ledger_says_why(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    before = [await host.turn(chat, text) for text in ("one", "two")]
    await edit(NEW)
    await apply(host, chat)
    after = [await host.turn(chat, text) for text in ("three", "four", "five")]
    assert [prompt_of(body) for body in provider.bodies] == [OLD, OLD, NEW, NEW, NEW]
    said = split(provider.bodies[1])[1][1:]
    assert split(provider.bodies[2])[1][1 : 1 + len(said)] == said
    assert extends(provider.bodies[3], provider.bodies[2])
    assert misses(*before, *after) == ["first", "", "profile", "", ""]
    assert after[0].expected_tokens > len(OLD) // 4 > after[0].cached_tokens


async def test_a_turn_that_runs_ends_with_what_it_began_with_and_the_queued_one_begins_anew(
    host: Host, session: NewSession, provider: Provider
) -> None:
    gate = Gate()
    chat = await session()
    await host.turn(chat, "one")
    provider.script(Answer(calls=[CALCULATE], gates={0: gate}), Answer(["It is 42."]))
    running, queued = await host.ask(chat, "two"), await host.ask(chat, "three")
    await stands_at(gate)
    await edit(NEW)
    await apply(host, chat)
    gate.open()
    for asked in (running, queued):
        await host.listener.end_of(asked.run_id)
    last = await host.turn(chat, "four")
    assert [prompt_of(body) for body in provider.bodies] == [OLD, OLD, OLD, NEW, NEW]
    turns = [await stored_turn(asked.run_id) for asked in (running, queued)]
    assert misses(*turns, last) == ["", "profile", ""]


@pytest.mark.thorough
async def test_applying_what_a_session_has_changes_nothing(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    await host.turn(chat, "one")
    await edit(NEW)
    await edit(OLD)
    first, second = await apply(host, chat), await apply(host, chat)
    assert first.revision == second.revision == 2
    turn = await host.turn(chat, "two")
    assert extends(provider.bodies[1], provider.bodies[0])
    assert (turn.miss, turn.guard_transcript) == ("", "kept")


async def test_a_profile_that_is_applied_twice_at_once_is_applied_once(host: Host, session: NewSession) -> None:
    chat = await session()
    await edit(NEW)
    applied = await asyncio.gather(*(apply(host, chat) for _ in range(4)))
    assert {shape.revision for shape in applied} == {1}


async def test_whichever_process_answers_next_has_the_miss_and_no_other(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    one, other = await new_host(), await new_host()
    chat = await session()
    before = [await host.turn(chat) for host in (one, other)]
    await edit(NEW)
    await apply(one, chat)
    after = [await host.turn(chat) for host in (other, one, other)]
    assert misses(*before, *after) == ["first", "", "profile", "", ""]
