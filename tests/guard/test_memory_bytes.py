"""A user's memory in the bytes of the three wires: in the prefix of new sessions, as a row in those that run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sessions_app import database
from sessions_app.models import ChatSession, Message
from sessions_app.session_store import forking
from tests.guard.oracle import stored
from tests.guard.test_steered_bytes import asked_in, assert_alike_up_to, assert_sent_is_the_line, begun
from tests.guard.wires import first_over_chat, first_over_responses, over_anthropic, over_chat, over_responses
from tests.llm.talking import extends, split
from tests.providers.fixtures import Provider
from tests.providers.tokens import prompt_of
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host
from tests.turns.remembered import forget, notes, remember, switch, switch_chat, switch_profiles, told_by
from tests.turns.steps import edited, regenerated

TEXT = 'Eats "no" meat: äöü \u2028 🎈 </memory> <b>'
LINE = 'Eats "no" meat: äöü 🎈 </memory> <b>'


pytestmark = pytest.mark.usefixtures("wire")


@over_anthropic
async def test_the_same_memories_make_the_same_bytes_in_every_process(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    hosts = [await new_host(), await new_host()]
    memory = await remember(hosts[0], "Is called Ada.")
    await remember(hosts[0], TEXT)
    for host in hosts:
        await host.turn(await session(), "hello")
    one, other = (prompt_of(request.json) for request in provider.requests)
    assert one == other
    assert told_by(provider.bodies[-1]) == [memory.text, LINE]


@first_over_responses
async def test_what_comes_before_the_memories_is_all_users_own(
    host: Host, session: NewSession, provider: Provider
) -> None:
    await host.turn(await session(), "hello")
    await remember(host, "Is called Ada.")
    await host.turn(await session(), "hello")
    await remember(host, TEXT)
    await host.turn(await session(), "hello")
    without, one, two = (prompt_of(request.json) for request in provider.requests)
    parting = next(place for place, (a, b) in enumerate(zip(one, two, strict=False)) if a != b)
    assert one[:parting].endswith(b'Ada.\\"\\n')
    assert without.split(b"You are a helpful")[0] == one.split(b"You are a helpful")[0]


@first_over_chat
async def test_a_running_session_gets_each_change_as_one_row(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    first = await remember(host, "Is called Ada.")
    chat = await begun(host, session, provider)
    second = await remember(host, TEXT)
    changes: list[tuple[Callable[[], Awaitable[object]], list[str]]] = [
        (lambda: remember(host, "Lives in Bern."), [first.text, second.text, "Lives in Bern."]),
        (lambda: forget(host, first), [second.text, "Lives in Bern."]),
        (lambda: switch(host, False), []),
        (lambda: switch(host, True), [second.text, "Lives in Bern."]),
        (lambda: switch_chat(host, chat, False), []),
        (lambda: switch_chat(host, chat, True), [second.text, "Lives in Bern."]),
        (lambda: switch_profiles(False), []),
        (lambda: switch_profiles(True), [second.text, "Lives in Bern."]),
    ]
    for number, (change, memories) in enumerate(changes, 1):
        await change()
        before = provider.bodies[-1]
        turn = await host.turn(chat, f"and now {number}?")
        assert (turn.guard_transcript, turn.miss) == ("kept", "")
        assert extends(provider.bodies[-1], before)
        assert told_by(provider.bodies[-1]) == memories
        assert len(await notes(chat)) == number
        await assert_sent_is_the_line(host, provider, wire, chat)
        assert (await host.turn(chat, "once more")).guard_transcript == "kept"
        assert len(await notes(chat)) == number


@over_responses
async def test_what_was_changed_and_changed_back_is_no_change(
    host: Host, session: NewSession, provider: Provider
) -> None:
    await remember(host, "Is called Ada.")
    chat = await session()
    await host.turn(chat, "hello")
    await forget(host, await remember(host, TEXT))
    await switch(host, False)
    await switch(host, True)
    await host.turn(chat, "hello again")
    assert await notes(chat) == []


@over_responses
async def test_a_chat_without_memory_is_told_nothing(host: Host, session: NewSession, provider: Provider) -> None:
    chat = await session()
    await switch_chat(host, chat, False)
    await remember(host, TEXT)
    await host.turn(chat, "hello")
    assert await notes(chat) == []
    assert b'no\\" meat' not in provider.bodies[-1]


@over_chat
@pytest.mark.both_databases
async def test_a_regeneration_is_told_what_has_changed_since(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    memory = await remember(host, TEXT)
    chat = await begun(host, session, provider)
    first = provider.bodies[-2]  # of the last turn, before it called a tool
    await forget(host, memory)
    turn = await regenerated(host, chat)
    assert turn.guard_transcript == "kept"
    assert extends(provider.bodies[-1], first)
    assert told_by(provider.bodies[-1]) == []
    await assert_sent_is_the_line(host, provider, wire, chat)
    # Again, with another memory: beside the first two, and without the note of the second.
    await remember(host, "Eats everything.")
    await regenerated(host, chat)
    assert extends(provider.bodies[-1], first)
    assert len(split(provider.bodies[-1])[1]) == len(split(first)[1]) + 1
    assert told_by(provider.bodies[-1]) == ["Eats everything."]
    *_, answer = (await host.open(chat))["messages"]
    assert (len(answer.alternatives), answer.place) == (2, 3)


@over_anthropic
async def test_an_edit_leaves_the_note_of_the_line_before(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    chat = await begun(host, session, provider)
    warm = provider.bodies[-1]
    memory = await remember(host, TEXT)
    await host.turn(chat, "with meat?")
    *_, asked = await asked_in(host, chat)
    await forget(host, memory)
    turn = await edited(host, asked, "with cheese?")
    assert turn.guard_transcript == "kept"
    assert told_by(provider.bodies[-1]) == []
    assert b'no\\\\\\" meat' not in provider.bodies[-1]
    assert_alike_up_to(provider.bodies[-1], warm, len(split(warm)[1]))
    await assert_sent_is_the_line(host, provider, wire, chat)
    message = next(m for m in (await host.open(chat))["messages"] if m.text == "with cheese?")
    assert (message.alternatives, message.place) == ([asked], 2)
    # Back in the line before, the model still thinks of it: it is told.
    await host.runner.service.select_branch(host.user_id, asked, 50)
    await host.turn(chat, "and now?")
    assert told_by(provider.bodies[-1]) == []
    await assert_sent_is_the_line(host, provider, wire, chat)


@over_responses
async def test_a_fork_knows_what_its_line_was_told(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    chat = await session()
    await host.turn(chat, "hello")
    [_, early] = (await host.open(chat))["messages"]
    await remember(host, TEXT)
    await host.turn(chat, "and now?")
    *_, late = (await host.open(chat))["messages"]
    for message, count in ((early, 1), (late, 1)):
        made = await database.write(forking.fork, host.user_id, message.id)
        await host.turn(made.id, "in the fork")
        assert told_by(provider.bodies[-1]) == [LINE]
        assert len(await notes(made.id)) == count
        await assert_sent_is_the_line(host, provider, wire, made.id)


@over_anthropic
async def test_what_a_summary_has_covered_is_told_again(
    host: Host, session: NewSession, provider: Provider, wire: str
) -> None:
    chat = await session()
    await host.turn(chat, "hello")
    await remember(host, TEXT)
    await host.turn(chat, "and now?")
    await database.write(summarise, chat)
    await host.turn(chat, "after the summary")
    assert len(await notes(chat)) == 2
    assert told_by(provider.bodies[-1]) == [LINE]
    await assert_sent_is_the_line(host, provider, wire, chat)
    await host.turn(chat, "and once more")
    assert len(await notes(chat)) == 2


def summarise(chat: Any) -> None:
    """Put all that was said in a summary, as a compaction does."""
    chat_session = ChatSession.objects.get(pk=chat)
    end = stored(chat).messages[-1].position + 1
    Message.objects.create(
        owner_id=chat_session.owner_id,
        chat_session=chat_session,
        branch_id=chat_session.active_branch_id,
        position=end,
        role="user",
        kind="summary",
        text="They said hello.",
        parts=[{"kind": "summary", "before": end}],
    )


@over_chat
async def test_a_note_that_another_program_deletes_is_told_again(
    host: Host, session: NewSession, provider: Provider
) -> None:
    chat = await session()
    await host.turn(chat, "hello")
    await remember(host, TEXT)
    await host.turn(chat, "and now?")
    await database.write(lambda: Message.objects.filter(kind="note").delete())
    await host.turn(chat, "and now again?")
    assert len(await notes(chat)) == 1
    assert told_by(provider.bodies[-1]) == [LINE]
