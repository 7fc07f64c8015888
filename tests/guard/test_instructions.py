"""Custom instructions in the bytes of the three wires: the same text makes the same bytes, and nothing else moves."""

from __future__ import annotations

import pytest

from sessions_app import database
from sessions_app.session_store import instructions
from tests.guard.wires import first_over_anthropic, over_chat, over_responses
from tests.llm.talking import extends
from tests.providers.fixtures import Provider
from tests.providers.tokens import prompt_of
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host

TEXT = 'Answer in rhymes: "äöü" \u2028 🎈'


pytestmark = pytest.mark.usefixtures("wire")


async def instruct(host: Host, text: str) -> None:
    await database.write(instructions.write, host.user_id, text)


@over_responses
async def test_the_same_instructions_make_the_same_bytes(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    hosts = [await new_host(), await new_host()]
    for host in hosts:
        await instruct(host, "")
        await instruct(host, TEXT)
        await host.turn(await session(), "hello")
    one, other = (prompt_of(request.json) for request in provider.requests)
    assert one == other
    assert b"Answer in rhymes" in one


@over_chat
async def test_a_change_leaves_a_session_warm_and_its_bytes_as_they_were(
    host: Host, session: NewSession, provider: Provider
) -> None:
    before, chat = await session(), None
    await host.turn(before, "hello")
    await instruct(host, TEXT)
    chat = await session()
    await host.turn(chat, "hello")
    await instruct(host, "Answer in prose.")
    for kept in (before, chat):
        turn = await host.turn(kept, "and now?")
        assert (turn.guard_transcript, turn.miss) == ("kept", "")
    bodies = provider.bodies
    assert extends(bodies[2], bodies[0])
    assert extends(bodies[3], bodies[1])
    assert b"rhymes" not in bodies[2]


@first_over_anthropic
async def test_what_comes_before_the_instructions_is_all_users_own(
    host: Host, session: NewSession, provider: Provider
) -> None:
    for text in ("Answer in rhymes.", "Answer in prose."):
        await instruct(host, text)
        await host.turn(await session(), "hello")
    one, other = (prompt_of(request.json) for request in provider.requests)
    parting = next(place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    assert one[:parting].endswith(b"Answer in ")
