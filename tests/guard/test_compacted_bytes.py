"""The bytes of compaction on the three wires: a summary costs one instruction, and what follows it repeats itself."""

from __future__ import annotations

from uuid import UUID

import pytest

from sessions_app import database
from sessions_app.llm.content.rows import Row
from sessions_app.llm.content.summaries import INSTRUCTION
from tests.guard.oracle import Oracle, stored
from tests.guard.test_bytes import think_call_and_say
from tests.guard.test_steered_bytes import TEXTS, assert_alike_up_to, begun
from tests.guard.wires import first_over_chat, over_anthropic, over_chat, over_responses
from tests.llm.talking import split, timeless
from tests.providers.fixtures import Provider
from tests.providers.script import Answer
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, worked
from tests.turns.steps import regenerated
from tests.turns.summaries import compacted

pytestmark = pytest.mark.usefixtures("wire")


async def summarised(host: Host, session: NewSession, provider: Provider) -> UUID:
    """A chat of three turns, each with a thought and a tool call, and a summary of them."""
    chat = await begun(host, session, provider)
    provider.script(Answer(['What was "said": äöü 🎈.']))
    await compacted(host, chat)
    return chat


async def turn(host: Host, chat: UUID, provider: Provider, text: str) -> bytes:
    """A turn with a thought and a tool call; the body of its last request."""
    think_call_and_say(provider, 1)
    await host.turn(chat, text)
    await worked(host)
    return provider.bodies[-1]


async def test_a_summary_is_asked_for_by_one_more_element(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    chat = await begun(host, session, provider)
    before = provider.bodies[-1]
    now = await database.read(stored, chat)
    await compacted(host, chat)
    rows = [*now.rows, Row("user", INSTRUCTION, position=2**40)]
    assert timeless(provider.bodies[-1]) == await Oracle(wire).body(chat, now.prefix, rows)
    assert_alike_up_to(provider.bodies[-1], before, len(split(before)[1]))


@first_over_chat
async def test_what_follows_a_summary_grows_from_the_same_bytes(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    chat = await summarised(host, session, provider)
    one = await turn(host, chat, provider, "one")
    assert TEXTS[1].encode() not in one
    other = await turn(host, chat, provider, "other")
    assert_alike_up_to(other, one, len(split(one)[1]))
    now = await database.read(stored, chat)
    assert timeless(other) == await Oracle(wire).body(chat, now.prefix, now.rows[:-1])


@over_chat
async def test_another_process_sends_the_same_summary(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    hosts = [await new_host(), await new_host()]
    chat = await summarised(hosts[0], session, provider)
    one = await turn(hosts[0], chat, provider, "one")
    other = await turn(hosts[1], chat, provider, "other")
    assert_alike_up_to(other, one, len(split(one)[1]))


@over_responses
async def test_a_regeneration_after_a_summary_sends_the_same_again(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await summarised(host, session, provider)
    await turn(host, chat, provider, "one")
    before = provider.bodies[-2]
    assert (await regenerated(host, chat)).guard_transcript == "kept"
    assert timeless(provider.bodies[-1]) == timeless(before)


@over_anthropic
async def test_an_undone_summary_brings_the_old_bytes_back(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    chat = await begun(host, session, provider)
    before = provider.bodies[-1]
    await compacted(host, chat)
    await host.runner.service.undo_summary(host.user_id, chat)
    later = await turn(host, chat, provider, "one")
    assert_alike_up_to(later, before, len(split(before)[1]))
    now = await database.read(stored, chat)
    assert timeless(later) == await Oracle(wire).body(chat, now.prefix, now.rows[:-1])
