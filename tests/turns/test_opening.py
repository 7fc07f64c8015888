"""session.open at any moment: the text with the events after `seq` is the whole answer, nothing lost or doubled."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app import database
from sessions_app.errors import NotFound
from sessions_app.models import Message
from sessions_app.turns import run
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Host, Listener, give_up, new_session, stands_at, stored_turn, text_of, within
from tests.turns.tab import SlowSnapshot, Tab

pytestmark = pytest.mark.one_database

CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


async def stored_answers(session_id: UUID) -> list[tuple[str, str]]:
    def rows() -> list[tuple[str, str]]:
        messages = Message.objects.filter(chat_session=session_id, role="assistant").order_by("position")
        return [(str(message.public_id), message.text) for message in messages]

    return await database.read(rows)


async def open_at_every_gate(host: Host, provider: Provider, words: list[list[str]], where: list[set[int]]) -> None:
    """A turn of as many steps as there are lists of words; tabs open at the gates, and one at the end."""
    chat = await new_session(host.user_id)
    gates = [{index: Gate() for index in sorted(places)} for places in where]
    for number, (said_words, step_gates) in enumerate(zip(words, gates, strict=True)):
        calls = [CALCULATE] if number < len(words) - 1 else []
        provider.script(Answer(said_words, calls=calls, gates=dict(step_gates)))
    tabs = [Tab(host.user_id)]
    await tabs[0].open(host, chat)
    asked = await host.ask(chat)
    for step_gates in gates:
        for gate in step_gates.values():
            await stands_at(gate)
            tabs.append(Tab(host.user_id))
            await tabs[-1].open(host, chat)
            gate.open()
    await host.listener.end_of(asked.run_id)
    tabs.append(Tab(host.user_id))
    await tabs[-1].open(host, chat)
    stored = await stored_answers(chat)
    assert [text for _, text in stored] == ["".join(each) for each in words]
    for tab in tabs:
        assert tab.answers(asked.run_id, stored) == stored
        host.runner.disconnect(tab.listener.subscription)
    assert all(tab.events(asked.run_id)[-1]["event"]["type"] == "RUN_FINISHED" for tab in tabs[:-1])
    assert (tabs[-1].result["run"], tabs[-1].listener.events) == (None, [])


STEPS = st.lists(
    st.lists(st.sampled_from(["word ", "äö", "🎈 ", "x\n"]), min_size=1, max_size=4), min_size=1, max_size=3
)


@settings(
    max_examples=8,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(words=STEPS, places=st.lists(st.sets(st.integers(0, 4)), min_size=3, max_size=3))
async def test_open_at_any_moment_of_any_answer(
    host: Host, provider: Provider, words: list[list[str]], places: list[set[int]]
) -> None:
    where = [{place for place in some if place <= len(each)} for each, some in zip(words, places, strict=False)]
    await open_at_every_gate(host, provider, words, where)


@pytest.mark.both_databases
async def test_events_that_come_while_the_transcript_is_read_are_neither_lost_nor_doubled(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = {1: Gate(), 2: Gate()}
    provider.script(Answer(["One ", "two ", "three"], gates=gates))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gates[1])
    slow = SlowSnapshot(monkeypatch)
    tab = Tab(host.user_id)
    opened = asyncio.create_task(tab.open(host, chat))
    await within(slow.read.wait())
    gates[1].open()
    await stands_at(gates[2])
    await host.listener.until(lambda event: host.listener.text(asked.run_id) == "One two ")
    assert tab.listener.run(asked.run_id) == []
    slow.go.set()
    await within(opened)
    assert tab.result["run"].text == "One two "
    gates[2].open()
    await host.listener.end_of(asked.run_id)
    assert tab.result["run"].text + text_of(tab.events(asked.run_id)) == "One two three"


async def test_an_end_that_comes_while_the_transcript_is_read(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    provider.script(Answer(["One"], gates={1: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    slow = SlowSnapshot(monkeypatch)
    tab = Tab(host.user_id)
    opened = asyncio.create_task(tab.open(host, chat))
    await within(slow.read.wait())
    gate.open()
    await host.listener.end_of(asked.run_id)
    slow.go.set()
    await within(opened)
    assert tab.result["run"] is None
    assert [message.text for message in tab.result["messages"]] == ["hello", "One"]
    assert tab.listener.run(asked.run_id) == []


async def test_a_failed_opening_of_an_open_session_loses_none_of_its_events(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    watching = Tab(host.user_id)
    await watching.open(host, chat)
    asked = await host.ask(chat)
    await stands_at(gate)
    slow = SlowSnapshot(monkeypatch, fails=True)
    opening_again = asyncio.create_task(host.open(chat))
    await within(slow.read.wait())
    gate.open()
    await watching.listener.end_of(asked.run_id)
    slow.go.set()
    with pytest.raises(ZeroDivisionError):
        await within(opening_again)
    assert host.listener.run(asked.run_id) == watching.events(asked.run_id)


async def test_between_the_commit_and_its_news_the_view_is_still_one(
    host: Host, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is stored, and this process has not told it yet: a view read then is read again."""
    chat = await session()
    loop, views, tab = asyncio.get_running_loop(), [], Listener(host.user_id)
    host.runner.connect(tab.subscription)
    store = run.Run.store

    async def store_and_open(*args: Any) -> Any:
        ended = await store(*args)
        views.append(loop.create_task(host.open(chat, tab)))
        await asyncio.sleep(0)
        await database.read(lambda: None)
        return ended

    monkeypatch.setattr(run.Run, "store", store_and_open)
    await host.turn(chat)
    view = await within(views[0])
    assert view["run"] is None
    assert [message.role for message in view["messages"]] == ["user", "assistant"]


async def test_the_view_of_a_run_in_another_process_is_its_checkpoint(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    owner, other = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await owner.ask(chat)
    await stands_at(gate)
    await owner.listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_CONTENT")
    await owner.runner.supervisor.beat()
    view = await other.open(chat)
    assert (view["run"].run_id, view["run"].text) == (asked.run_id, "One ")
    gate.open()
    await owner.listener.end_of(asked.run_id)
    assert (await other.open(chat))["run"] is None


async def test_only_the_last_messages_are_read(host: Host, session: NewSession) -> None:
    chat = await session()
    for number in range(3):
        await host.turn(chat, f"text {number}")
    view = await host.open(chat, limit=3)
    assert [message.position for message in view["messages"]] == [3, 4, 5]
    assert view["has_more"]
    assert not (await host.open(chat, limit=6))["has_more"]


async def test_what_is_not_ones_own_is_not_found_and_leaves_no_subscription(host: Host, session: NewSession) -> None:
    chat = await session()
    stranger = Listener(host.user_id + 1)
    host.runner.connect(stranger.subscription)
    for session_id in (chat, uuid4()):
        with pytest.raises(NotFound):
            await host.open(session_id, stranger)
    await host.turn(chat)
    assert stranger.events == []


async def test_a_turn_whose_owner_gave_it_up_can_be_opened(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left to recovery runs nowhere, though the database says that it runs here."""

    chat = await session()
    run_id = await give_up(host, chat, monkeypatch)
    view = await within(host.open(chat))
    assert [message.text for message in view["messages"]] == ["hello"]
    assert view["run"].run_id == run_id


@pytest.mark.both_databases
async def test_a_turn_that_fails_before_its_answer_is_ended_at_once(
    host: Host, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(type(host.runner.pool), "lease", broken)
    asked = await host.ask(await session())
    end = await host.listener.end_of(asked.run_id)
    assert (end["event"]["code"], (await stored_turn(asked.run_id)).status) == ("internal", "failed")
