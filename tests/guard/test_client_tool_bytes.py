"""The bytes of rounds with a client's tools on the three wires: results are appended, in whichever process."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from uuid import UUID

import pytest

from sessions_app import database
from tests.guard.oracle import Oracle, stored
from tests.guard.wires import first_over_responses, over_anthropic, over_chat, over_responses
from tests.llm.talking import extends, timeless
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.client_tools import asks, bring, resume, resumed, waiting
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, guard_of, idle, stands_at, stored_turn

pytestmark = pytest.mark.usefixtures("wire")

OWN = Call("calculator", '{ "expression":"6 * 7"}')


@pytest.fixture
async def chat(host: Host, session: NewSession) -> UUID:
    chat = await session()
    await bring(host, chat, "weather")
    return chat


def script(provider: Provider, *calls: list[Call]) -> None:
    """Answers that call these tools, and one that says something."""
    provider.script(*(Answer(["See: "], reasoning=["Hm."], calls=each) for each in calls), Answer(["ä\u2028🎈."]))


async def asked(host: Host, chat: UUID, text: str = "Weather?") -> None:
    await host.turn(chat, text)
    await idle(host)


async def brought(host: Host, chat: UUID) -> dict[str, str]:
    return {call_id: f'"{number}": sun\u2028 äöü' for number, call_id in enumerate(await waiting(host, chat))}


def assert_each_extends_the_last(provider: Provider, count: int) -> None:
    assert len(provider.bodies) == count
    for earlier, later in itertools.pairwise(provider.bodies):
        assert extends(later, earlier)


@first_over_responses
async def test_rounds_in_one_process_only_add_to_the_request(host: Host, chat: UUID, provider: Provider) -> None:
    for number in range(2):
        script(provider, [asks("Bonn"), OWN, asks("Rome")], [OWN], [asks("Oslo")])
        await asked(host, chat, f"Number {number}?")
        for _ in range(2):
            turn = await resumed(host, chat, await brought(host, chat))
            assert guard_of(turn) == ("reused", "kept", "same stamp")
            assert turn.miss == ""
    assert_each_extends_the_last(provider, 8)


@over_anthropic
async def test_rounds_in_two_processes_by_turns(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    hosts = [await new_host(), await new_host()]
    chat = await session()
    await bring(hosts[0], chat, "weather")
    script(provider, [asks("Bonn"), OWN], [asks("Rome"), asks("Oslo")], [asks("Rome")])
    await asked(hosts[0], chat)
    for number in range(1, 4):
        host = hosts[number % 2]
        await host.show(chat)
        turn = await resumed(host, chat, await brought(host, chat))
        assert turn.guard_transcript == "read"
    assert_each_extends_the_last(provider, 4)


@over_responses
async def test_after_an_eviction_between_call_and_result(
    new_host: NewHost, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions_app.turns.pool.MAX_IDLE_SECONDS", 0.0)
    host = await new_host()
    chat = await session()
    await bring(host, chat, "weather")
    script(provider, [asks("Bonn")], [asks("Rome")])
    await asked(host, chat)
    for _ in range(2):
        await host.runner.pool.sweep()
        assert (await resumed(host, chat, await brought(host, chat))).guard_agent == "built"
    assert_each_extends_the_last(provider, 3)


async def held(host: Host, chat: UUID, provider: Provider, wire: str, results: Mapping[str, str] | None) -> None:
    """A turn, begun by results or by a person, whose request is the stored transcript."""
    gate = Gate()
    provider.script(Answer(["x"], gates={0: gate}))
    begun = await (resume(host, chat, results) if results is not None else host.ask(chat, "Never mind."))
    await stands_at(gate)
    now = await database.read(stored, chat)
    assert timeless(provider.bodies[-1]) == await Oracle(wire).body(chat, now.prefix, now.rows)
    gate.open()
    await host.listener.end_of(begun.run_id)
    await idle(host)
    assert (await stored_turn(begun.run_id)).guard_transcript == "kept"


async def test_it_is_what_is_stored(host: Host, chat: UUID, provider: Provider, wire: str) -> None:
    provider.script(Answer(calls=[asks("Bonn"), OWN]))
    await asked(host, chat)
    await held(host, chat, provider, wire, await brought(host, chat))
    assert extends(provider.bodies[-1], provider.bodies[-2])
    provider.script(Answer(["See. "], calls=[asks("Rome")]))
    await asked(host, chat)
    await held(host, chat, provider, wire, None)
    assert_each_extends_the_last(provider, 4)


@over_anthropic
async def test_when_the_chat_was_summarised_before(host: Host, chat: UUID, provider: Provider, wire: str) -> None:
    await asked(host, chat)
    provider.script(Answer(["What was said."]))
    summary = await host.runner.service.compact(host.user_id, chat)
    await host.listener.end_of(summary.run_id)
    await idle(host)
    seen = len(provider.bodies)
    script(provider, [asks("Bonn")], [asks("Rome")])
    await asked(host, chat)
    for _ in range(2):
        await resumed(host, chat, await brought(host, chat))
    for earlier, later in itertools.pairwise(provider.bodies[seen:]):
        assert extends(later, earlier)


@over_chat
async def test_prefixes_without_a_clients_tools_are_as_before(host: Host, session: NewSession) -> None:
    chat = await session()
    before = (await database.read(stored, chat)).prefix
    await bring(host, chat, "weather")
    brought_along = (await database.read(stored, chat)).prefix
    assert brought_along.startswith('{"client_tools":[')
    assert brought_along.endswith(f",{before[1:]}")
    await bring(host, chat)
    assert (await database.read(stored, chat)).prefix == before
