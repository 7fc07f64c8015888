"""The bytes of turns with approvals on the three wires: results are appended, in whichever process."""

from __future__ import annotations

from uuid import UUID

import pytest

from sessions_app import database
from tests.guard.oracle import Oracle, stored
from tests.guard.test_client_tool_bytes import OWN, assert_each_extends_the_last
from tests.guard.wires import first_over_anthropic, over_responses
from tests.llm.talking import timeless
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import ANTHROPIC, CHAT, RESPONSES, NewHost, NewSession
from tests.turns.host import Host, guard_of, idle, stands_at, stored_turn
from tests.turns.tool_server import MailServer, decide, decided, give_tools, sends, serve, waiting

pytestmark = pytest.mark.usefixtures("wire")


def script(provider: Provider, *calls: list[Call]) -> None:
    """Answers that call these tools, and one that says something."""
    provider.script(*(Answer(["See: "], reasoning=["Hm."], calls=each) for each in calls), Answer(["ä\u2028🎈."]))


async def started(new_host: NewHost, server: MailServer) -> Host:
    host = await new_host()
    serve(host, server)
    return host


async def asked(host: Host, chat: UUID) -> None:
    await host.turn(chat, "Write to all.")
    await idle(host)


async def words(host: Host, chat: UUID) -> dict[str, bool]:
    """Every second call is approved."""
    return {each.tool_call_id: number % 2 == 0 for number, each in enumerate(await waiting(host, chat))}


@first_over_anthropic
async def test_decisions_in_one_process_only_add_to_the_request(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    host, chat = await started(new_host, MailServer()), await session()
    await give_tools(chat)
    for _ in range(2):
        script(provider, [sends("Bo"), OWN, sends("Al"), sends("Cy")], [sends("Di", tool="mail_read")], [sends("Ed")])
        await asked(host, chat)
        for _ in range(2):
            turn = await decided(host, chat, await words(host, chat), note="äöü\u2028")
            assert guard_of(turn) == ("reused", "kept", "same stamp")
            assert turn.miss == ""
    assert_each_extends_the_last(provider, 8)


@over_responses
async def test_decisions_in_two_processes_by_turns(new_host: NewHost, session: NewSession, provider: Provider) -> None:
    server, chat = MailServer(), await session()
    hosts = [await started(new_host, server), await started(new_host, server)]
    await give_tools(chat)
    script(provider, [sends("Bo"), OWN], [sends("Al"), sends("Cy")], [sends("Di")])
    await asked(hosts[0], chat)
    for number in range(1, 4):
        host = hosts[number % 2]
        await host.show(chat)
        turn = await decided(host, chat, await words(host, chat))
        assert turn.guard_transcript == "read"
    assert_each_extends_the_last(provider, 4)


@pytest.mark.parametrize(
    ("wire", "says_something_else"),
    [(CHAT, True), (RESPONSES, False), (ANTHROPIC, True), (ANTHROPIC, False)],
    indirect=["wire"],
)
async def test_it_is_what_is_stored(
    new_host: NewHost, session: NewSession, provider: Provider, wire: str, says_something_else: bool
) -> None:
    host, chat = await started(new_host, MailServer()), await session()
    await give_tools(chat)
    provider.script(Answer(calls=[sends("Bo"), OWN, sends("Al")]))
    await asked(host, chat)
    gate = Gate()
    provider.script(Answer(["x"], gates={0: gate}))
    if says_something_else:
        begun = await host.ask(chat, "Never mind.")
    else:
        begun = await decide(host, chat, await words(host, chat))
    await stands_at(gate)
    now = await database.read(stored, chat)
    assert timeless(provider.bodies[-1]) == await Oracle(wire).body(chat, now.prefix, now.rows)
    gate.open()
    await host.listener.end_of(begun.run_id)
    await idle(host)
    assert (await stored_turn(begun.run_id)).guard_transcript == "kept"
    assert_each_extends_the_last(provider, 2)
