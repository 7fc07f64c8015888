"""Several processes, one user: over a real Redis, a tab sees the same wherever the turn runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from hermes_site.redis_layer import RedisLayer
from sessions_app import database
from sessions_app.shapes import RunShape
from sessions_app.turns import feed, recovery
from sessions_app.turns.layer import Item
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Event, Host, Listener, said, stands_at, stored_turn, text_of, within
from tests.turns.tab import Tab

Linked = Callable[..., Awaitable[Host]]


@pytest_asyncio.fixture
async def linked(new_host: NewHost, redis_url: str) -> Linked:
    """Starts a process that the others of this test hear."""
    prefix = uuid4().hex

    async def start(**settings: Any) -> Host:
        host = await new_host(layer=RedisLayer(redis_url, prefix), **settings)
        await hears(host)
        return host

    return start


async def hears(host: Host) -> None:
    """Return once the process receives what is told its user."""
    relay = host.runner.elsewhere.relay
    for group in (f"user.{host.user_id}", host.runner.process):
        await within(relay._wanted[group].wait())


def a_delta(event: Event) -> bool:
    return bool(event["event"]["type"] == "TEXT_MESSAGE_CONTENT")


async def first_delta(host: Host) -> Event:
    return await host.listener.until(a_delta)


async def test_a_tab_of_another_process_gets_every_event_once_and_in_order(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    here, there = await linked(), await linked()
    provider.script(Answer(["One ", "two ", "three"]))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.end_of(asked.run_id)
    assert there.listener.run(asked.run_id) == here.listener.run(asked.run_id)
    assert [event["seq"] for event in there.listener.run(asked.run_id)] == list(
        range(1, len(here.listener.run(asked.run_id)) + 1)
    )
    await there.listener.until(lambda event: event["event"].get("value", {}).get("message_count") == 2)
    assert (
        there.listener.facts()
        == here.listener.facts()
        == ["message.created", "session.updated", "message.created", "session.updated"]
    )


async def test_who_opens_in_mid_answer_elsewhere_gets_the_rest_from_the_owner(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two ", "three"], gates={2: gate}))
    chat = await session()
    asked = await here.ask(chat)
    await stands_at(gate)
    await here.listener.until(lambda _: here.listener.text(asked.run_id) == "One two ")
    run: RunShape = (await there.open(chat))["run"]
    assert (run.text, run.seq) == ("One two ", here.listener.run(asked.run_id)[-1]["seq"])
    gate.open()
    await there.listener.end_of(asked.run_id)
    after = there.listener.run(asked.run_id)
    assert [event["seq"] for event in after] == list(range(run.seq + 1, run.seq + 1 + len(after)))
    assert run.text + text_of(after) == "One two three"


async def test_nothing_but_beginning_and_end_goes_to_a_process_where_nobody_looks(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await linked(), await linked()
    monkeypatch.setattr(feed, "ASKED_SECONDS", 0)
    sent: list[Any] = []
    monkeypatch.setattr(here.runner.elsewhere.relay, "send", lambda group, item: sent.append(item))
    provider.script(Answer(["One ", "two ", "three"]))
    asked = await here.ask(await session())
    last = (await here.listener.end_of(asked.run_id))["seq"]
    assert [item["seq"] for item in sent if item["kind"] == "event" and item["run"]] == [1, last]
    assert there.listener.run(asked.run_id) == []


async def test_a_queued_turn_is_seen_and_withdrawn_anywhere(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    chat = await session()
    await here.ask(chat)
    await stands_at(gate)
    waiting = await there.ask(chat, "waits")
    assert waiting.queued
    assert (await here.listener.fact("turn.queued"))["run_id"] == str(waiting.run_id)
    assert await here.stop(chat, waiting.run_id)
    assert (await there.listener.fact("turn.withdrawn"))["run_id"] == str(waiting.run_id)
    gate.open()


async def test_what_is_queued_elsewhere_runs_next_and_is_seen_where_it_was_said(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}), Answer(["two"]))
    chat = await session()
    await here.ask(chat)
    await stands_at(gate)
    waiting = await there.ask(chat, "waits")
    gate.open()
    await there.listener.end_of(waiting.run_id)
    assert there.listener.text(waiting.run_id) == "two"
    assert [text for _, text, _ in await said(chat)] == ["hello", "One", "waits", "two"]


async def test_a_turn_is_stopped_from_another_process(linked: Linked, session: NewSession, provider: Provider) -> None:
    here, there = await linked(), await linked()
    provider.script(Answer(["One ", "two"], gates={1: Gate()}))
    chat = await session()
    asked = await here.ask(chat)
    await first_delta(here)
    assert await there.stop(chat)
    assert (await stored_turn(asked.run_id)).status == "stopped"
    assert not await there.stop(chat, asked.run_id)


async def test_the_checkpoint_is_shown_where_the_owner_does_not_answer(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await here.ask(chat)
    await first_delta(here)
    await here.runner._keeper.beat()
    await here.runner.elsewhere.relay.stop()
    run: RunShape = (await there.open(chat))["run"]
    assert (run.run_id, run.text, run.seq) == (asked.run_id, "One ", 0)
    gate.open()


async def test_an_end_that_nobody_told_is_told_from_the_row_with_its_number(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.until(a_delta)
    await there.runner._keeper.look()
    here.runner.elsewhere.relay._outgoing.clear()
    await here.runner.elsewhere.relay.stop()
    gate.open()
    told = await here.listener.end_of(asked.run_id)
    assert await there.listener.end_of(asked.run_id) == told


async def test_one_process_without_a_layer_sees_the_end_of_anothers_turn(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    here, there = await new_host(), await new_host()
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await stands_at(gate)
    await there.runner._keeper.look()
    gate.open()
    told = await here.listener.end_of(asked.run_id)
    assert await there.listener.end_of(asked.run_id) == told


async def test_a_users_events_reach_nobody_else(linked: Linked, session: NewSession, provider: Provider) -> None:
    here, there = await linked(), await linked()
    stranger = Listener(here.user_id + 1)
    there.runner.hub.attach(stranger)
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.end_of(asked.run_id)
    assert stranger.events == []


async def test_an_owner_that_hears_of_the_end_of_its_turn_lets_go_of_it(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    """It was silent for a lease; the one that took over says so before the next heartbeat would."""
    here, there = await linked(), await linked()
    provider.script(Answer(["One ", "two"], gates={1: Gate()}))
    chat = await session()
    asked = await here.ask(chat)
    await first_delta(here)
    await here.runner._keeper.stop()
    turn = await stored_turn(asked.run_id)
    run = here.runner.run_of(chat)
    assert run is not None
    there.runner.interrupted(turn)
    await within(run.ended.wait())
    assert (await here.listener.end_of(asked.run_id))["event"]["code"] == "interrupted"
    assert here.runner.runs == []
    assert [event["event"]["type"] for event in here.listener.run(asked.run_id)].count("RUN_ERROR") == 1


async def test_tabs_that_open_at_every_moment_elsewhere_all_end_with_the_same_text(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    here, there = await linked(), await linked()
    words = [f"word{number} " for number in range(30)]
    gates = {index: Gate() for index in range(len(words))}
    provider.script(Answer(words, gates=gates))
    chat = await session()
    asked = await here.ask(chat)
    tabs: list[Tab] = []
    for gate in gates.values():
        await stands_at(gate)
        opening = [Tab(there.user_id), Tab(here.user_id)]
        gate.open()
        await within(asyncio.gather(*(tab.open(host, chat) for tab, host in zip(opening, (there, here), strict=True))))
        tabs += opening
    end = await here.listener.end_of(asked.run_id)
    stored = [(str(message.id), message.text) for message in (await here.open(chat))["messages"]][1:]
    assert [text for _, text in stored] == ["".join(words)]
    for tab in tabs:
        if tab.result["run"] is not None:
            assert await tab.listener.end_of(asked.run_id) == end
        assert tab.answers(asked.run_id, stored) == stored


async def test_facts_that_redis_lost_are_told_again(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    chat = await session()
    monkeypatch.setattr(here.runner.elsewhere.relay, "send", lambda group, item: None)
    asked = await here.ask(chat)
    await stands_at(gate)
    waiting = await here.ask(chat, "waits")
    there.runner.elsewhere._lost(0)
    assert (await there.listener.fact("message.created"))["id"] == str(asked.message.id)
    assert (await there.listener.fact("turn.queued"))["run_id"] == str(waiting.run_id)
    assert "session.created" in there.listener.facts()
    gate.open()


@pytest.mark.parametrize("again", [False, True])
async def test_events_that_come_after_what_they_tell_was_shown_are_not_shown_again(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    here, there = await linked(), await linked()
    provider.script(Answer(["One ", "two"]), Answer(["three"]))
    late: list[Item] = []
    with monkeypatch.context() as delayed:
        delayed.setattr(here.runner.elsewhere.relay, "send", lambda group, item: late.append(item))
        chat = await session()
        if again:
            await there.open(chat)
        asked = await here.ask(chat)
        await here.listener.end_of(asked.run_id)
        view = await there.open(chat)
    assert (view["run"], view["messages"][-1].text) == (None, "One two")
    for item in late:
        there.runner.elsewhere._receive(here.runner.process, item)
    assert there.listener.run(asked.run_id) == []
    following = await here.ask(chat, "and then?")
    await there.listener.end_of(following.run_id)
    assert there.listener.run(following.run_id) == here.listener.run(following.run_id)


async def test_the_end_of_ones_own_turn_is_told_once(host: Host, session: NewSession, provider: Provider) -> None:
    """A look that began before the turn did, and read after, sees it run: by this very process."""
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    chat = await session()
    asked = await host.ask(chat)
    await stands_at(gate)
    seen = await database.read(recovery.look, 15.0, host.runner.process, frozenset())
    await host.runner.elsewhere.look(seen.running, seen.over)
    gate.open()
    await host.listener.end_of(asked.run_id)
    for _ in range(3):
        await host.runner._keeper.look()
    assert [event["event"]["type"] for event in host.listener.run(asked.run_id)].count("RUN_FINISHED") == 1


async def test_a_whole_run_that_nobody_heard_shows_as_a_gap(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await linked(), await linked()
    chat = await session()
    await there.open(chat)
    with monkeypatch.context() as cut:
        cut.setattr(here.runner.elsewhere.relay, "send", lambda group, item: None)
        asked = await here.ask(chat)
        told = await here.listener.end_of(asked.run_id)
    there.runner.elsewhere._lost(0)
    assert await there.listener.end_of(asked.run_id) == told


@pytest.mark.parametrize("heard", [0, 1])
async def test_the_end_of_what_was_shown_once_is_told_though_no_look_saw_it_run(
    linked: Linked,
    session: NewSession,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    heard: int,
) -> None:
    """Shown by session.open, or by its first event; everything after that was lost."""
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await there.runner._keeper.stop()
    if heard:
        await there.open(chat)
    asked = await here.ask(chat)
    await first_delta(here)
    if not heard:
        assert (await there.open(chat))["run"] is not None
    else:
        await there.listener.until(lambda event: event["run_id"] == str(asked.run_id))
    monkeypatch.setattr(here.runner.elsewhere.relay, "send", lambda group, item: None)
    gate.open()
    told = await here.listener.end_of(asked.run_id)
    for _ in range(2):
        await there.runner._keeper.look()
    assert await there.listener.end_of(asked.run_id) == told


async def test_a_run_too_short_for_any_look_to_see_is_told_though_nobody_heard_of_it(
    linked: Linked, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await linked(), await linked()
    chat = await session()
    await there.open(chat)
    await there.runner._keeper.stop()
    monkeypatch.setattr(here.runner.elsewhere.relay, "send", lambda group, item: None)
    asked = await here.ask(chat)
    told = await here.listener.end_of(asked.run_id)
    await there.runner._keeper.look()
    assert there.listener.run(asked.run_id) == []
    await there.runner._keeper.look()
    assert await there.listener.end_of(asked.run_id) == told
    assert (await there.listener.fact("message.created"))["id"] == str(asked.message.id)


async def test_what_was_heard_is_not_told_again_by_a_look(linked: Linked, session: NewSession) -> None:
    here, there = await linked(), await linked()
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.end_of(asked.run_id)
    before = len(there.listener.events)
    for _ in range(3):
        await there.runner._keeper.look()
    await asyncio.gather(*there.runner.elsewhere._mending)
    assert [event["event"] for event in there.listener.events[before:] if event["run_id"]] == []
    assert there.runner.elsewhere._mending == set()
