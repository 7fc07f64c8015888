"""The bytes of edits and regenerations on the three wires: each prompt is its line, and repeats it up to the fork."""

from __future__ import annotations

from uuid import UUID

import pytest

from sessions_app import database
from tests.guard.oracle import Oracle, stored
from tests.guard.test_bytes import think_call_and_say
from tests.guard.wires import first_over_responses, over_anthropic
from tests.llm.talking import split, timeless
from tests.providers.fixtures import Provider
from tests.turns.fixtures import ANTHROPIC, CHAT, RESPONSES, NewHost, NewSession
from tests.turns.host import Host, worked
from tests.turns.steps import edited, regenerated

TEXTS = ['Number 0: "äöü" \u2028 \\ 🎈?', "number 1", "number 2"]


pytestmark = pytest.mark.usefixtures("wire")


async def begun(host: Host, session: NewSession, provider: Provider) -> UUID:
    """A chat of three turns, each with a thought and a tool call."""
    chat = await session()
    think_call_and_say(provider, len(TEXTS))
    for text in TEXTS:
        await host.turn(chat, text)
    return chat


async def asked_in(host: Host, chat: UUID) -> list[UUID]:
    """The ids of the user's messages of the line that is shown."""
    return [message.id for message in (await host.open(chat))["messages"] if message.role == "user"]


async def assert_sent_is_the_line(host: Host, provider: Provider, wire: str, chat: UUID) -> None:
    """The last request was made of the line's rows before its answer, whole, and of nothing else."""
    await worked(host)
    now = await database.read(stored, chat)
    assert timeless(provider.bodies[-1]) == await Oracle(wire).body(chat, now.prefix, now.rows[:-1])


def asked_at(body: bytes, text: str) -> int:
    """The place of the element that says a text."""
    escaped = text.encode()
    return next(place for place, element in enumerate(split(body)[1]) if escaped in element)


def assert_alike_up_to(later: bytes, earlier: bytes, place: int) -> None:
    """Both requests are byte-identical up to the element at a place, and around their conversations."""
    head, elements, tail = split(earlier)
    later_head, later_elements, later_tail = split(later)
    assert (later_head, later_tail) == (head, tail)
    assert later_elements[:place] == elements[:place]


@pytest.mark.parametrize(("wire", "number"), [(CHAT, 0), (RESPONSES, 2), (ANTHROPIC, 1)], indirect=["wire"])
async def test_an_edit_repeats_the_bytes_before_it(
    host: Host, session: NewSession, provider: Provider, wire: str, number: int
) -> None:
    chat = await begun(host, session, provider)
    whole = provider.bodies[-1]
    turn = await edited(host, (await asked_in(host, chat))[number], "said otherwise")
    assert (turn.guard_agent, turn.guard_transcript) == ("reused", "kept")
    place = asked_at(provider.bodies[-1], "said otherwise")
    assert len(split(provider.bodies[-1])[1]) == place + 1
    assert_alike_up_to(provider.bodies[-1], whole, place)
    await assert_sent_is_the_line(host, provider, wire, chat)


@first_over_responses
async def test_a_regeneration_sends_the_same_request_again(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    chat = await begun(host, session, provider)
    # The first request of the last turn, before it called a tool.
    first = provider.bodies[-2]
    turn = await regenerated(host, chat)
    assert turn.guard_transcript == "kept"
    assert timeless(provider.bodies[-1]) == timeless(first)
    await assert_sent_is_the_line(host, provider, wire, chat)


@over_anthropic
async def test_each_branch_goes_on_from_its_own_bytes(
    new_host: NewHost, session: NewSession, provider: Provider, wire: str
) -> None:
    hosts = [await new_host(), await new_host()]
    chat = await begun(hosts[0], session, provider)
    [_, second, _] = await asked_in(hosts[0], chat)
    before = provider.bodies[-1]
    await hosts[1].show(chat)
    await edited(hosts[1], second, "said otherwise")
    one = provider.bodies[-1]
    await worked(hosts[1])
    assert (await hosts[0].turn(chat, "go on")).guard_transcript == "read"
    later = provider.bodies[-1]
    assert_alike_up_to(later, one, len(split(one)[1]))
    assert b"number 2" not in later
    await assert_sent_is_the_line(hosts[0], provider, wire, chat)
    # Back to the first line, in the other process: it goes on from what was sent of it.
    await hosts[1].runner.service.select_branch(hosts[1].user_id, second, 50)
    await hosts[1].turn(chat, "go on here")
    assert_alike_up_to(provider.bodies[-1], before, len(split(before)[1]))
    assert b"said otherwise" not in provider.bodies[-1]
    await assert_sent_is_the_line(hosts[1], provider, wire, chat)
