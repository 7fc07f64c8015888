"""Several processes, one user: a tab sees a run the same wherever it runs, over a real Redis or without one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import UUID

import pytest

from sessions_app import database, journal
from sessions_app.conversations.run_schemas import RunShape
from sessions_app.realtime import feed, remote_runs
from sessions_app.realtime.bus import Message
from sessions_app.session_store import chats
from tests.clock import Clock
from tests.journal.facts import a_fact, write
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NEVER, NewHost, NewSession
from tests.turns.host import Event, Host, Listener, idle, said, stands_at, stored_turn, text_of, within
from tests.turns.linked import Linked
from tests.turns.tab import SlowSnapshot, Tab
from tests.turns.test_recovery import fall_silent, taken_over

pytestmark = pytest.mark.one_database

CALCULATE = Call("calculator", '{"expression": "6 * 7"}')


@pytest.fixture(autouse=True)
def patient_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine, what was not asked for in time is kept."""
    monkeypatch.setattr(feed, "KEPT_SECONDS", NEVER)
    monkeypatch.setattr(feed, "WATCHED_SECONDS", NEVER)


@pytest.fixture
def without_a_word() -> Iterator[ExitStack]:
    """What is cut until the test's end."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def linked(new_host: NewHost, redis_url: str) -> Linked:
    return Linked(new_host, redis_url)


def a_delta(event: Event) -> bool:
    return bool(event["event"]["type"] == "TEXT_MESSAGE_CONTENT")


async def shows(host: Host, run_id: UUID, text: str) -> None:
    """Return when the host's listener has been told that much of a run."""
    await host.listener.until(lambda _: host.listener.text(run_id) == text)


def assert_same(here: Host, there: Host, run_id: UUID) -> None:
    """Both were told every event of a run, once and in order."""
    events = here.listener.run(run_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert there.listener.run(run_id) == events


async def test_a_tab_of_another_process_gets_every_event_once_and_in_order(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two ", "three"], gates={1: gate}))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.until(a_delta)
    gate.open()
    await there.listener.end_of(asked.run_id)
    assert_same(here, there, asked.run_id)
    await there.listener.until(lambda event: event["event"].get("value", {}).get("message_count") == 2)
    assert there.listener.facts()[-6:] == here.listener.facts()[-6:]


async def test_tools_are_seen_from_another_process(linked: Linked, session: NewSession, provider: Provider) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["See: "], calls=[CALCULATE], gates={1: gate}), Answer(["42", "."]))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.until(a_delta)
    gate.open()
    await there.listener.end_of(asked.run_id)
    assert_same(here, there, asked.run_id)


async def arrived(there: Host, here: Host) -> None:
    """Return when all that one process has sent to the user's others so far has arrived at the other."""
    made = await there.runner.publisher.write(database, chats.create, there.user_id, "")
    await here.listener.until(lambda event: event["session_id"] == str(made.id))


async def watches(there: Host, here: Host, session_id: UUID) -> None:
    """Open a session in one process, and return when the other one knows: what comes after it has arrived there."""
    await there.open(session_id)
    await arrived(there, here)
    assert here.runner.launcher.watched.has(session_id)


@pytest.mark.parametrize("checkpoint", [pytest.param(False, marks=pytest.mark.thorough), True])
async def test_who_opens_in_mid_answer_elsewhere_gets_the_rest(
    linked: Linked, session: NewSession, provider: Provider, checkpoint: bool
) -> None:
    here, there = await linked(), await linked()
    await here.runner.supervisor.stop()  # it checkpoints when it is told to
    gate = Gate()
    provider.script(Answer(["One ", "two ", "three"], gates={2: gate}))
    chat = await session()
    asked = await here.ask(chat)
    await stands_at(gate)
    await shows(here, asked.run_id, "One two ")
    if checkpoint:
        await here.runner.supervisor.beat()
    run: RunShape = (await there.open(chat))["run"]
    last = here.listener.run(asked.run_id)[-1]["seq"]
    # Without a checkpoint it may be told already of what came: by the fact that the turn began, heard while it opened.
    assert (run.text, run.seq) in [("One two ", last)] + [("", 0)] * (not checkpoint)
    await there.listener.until(lambda _: run.text + there.listener.text(asked.run_id) == "One two ")
    await arrived(there, here)
    gate.open()
    await there.listener.end_of(asked.run_id)
    after = there.listener.run(asked.run_id)
    assert [event["seq"] for event in after] == list(range(run.seq + 1, run.seq + 1 + len(after)))
    assert run.text + text_of(after) == "One two three"


async def test_a_short_run_elsewhere_is_told_from_its_first_event(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    """It has ended before this process could ask for anything."""
    here, there = await linked(), await linked()
    chat = await session()
    await watches(there, here, chat)
    with linked.cut(there):
        for text in ("one", "two"):
            asked = await here.ask(chat, text)
            await there.listener.end_of(asked.run_id)
            assert_same(here, there, asked.run_id)


async def test_late_events_of_a_run_that_ended_are_not_told(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    here, there = await linked(), await linked()
    chat = await session()
    await watches(there, here, chat)
    with linked.cut(here) as late:
        asked = await here.ask(chat)
        await here.listener.end_of(asked.run_id)
        await late.until("hint")
    await there.runner.supervisor.poll()
    await there.listener.end_of(asked.run_id)
    events = [message for message in late.messages if message["kind"] == "event"]
    assert events[0]["seq"] == 1
    for message in events:
        there.runner.remote.take(message)
    assert [event["event"]["type"] for event in there.listener.run(asked.run_id)] == ["RUN_FINISHED"]


async def test_nothing_but_hints_is_sent_while_nobody_watches(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await linked(), await linked()
    provider.script(Answer(["One ", "two ", "three"]))
    with linked.cut(here) as sent:
        asked = await here.ask(await session())
        await here.listener.end_of(asked.run_id)
        here.runner.bus.send("any", {"kind": "last"})
        await sent.until("last")
    assert {message["kind"] for message in sent.messages} == {"hint", "watch", "last"}
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
    first, second = Gate(), Gate()
    provider.script(Answer(["One"], gates={0: first}), Answer(["two ", "three"], gates={1: second}))
    chat = await session()
    await here.ask(chat)
    await stands_at(first)
    waiting = await there.ask(chat, "waits")
    first.open()
    await shows(there, waiting.run_id, "two ")
    second.open()
    await there.listener.end_of(waiting.run_id)
    assert_same(here, there, waiting.run_id)
    assert [text for _, text, _ in await said(chat)] == ["hello", "One", "waits", "two three"]


@pytest.mark.both_databases
async def test_a_turn_is_stopped_from_another_process(linked: Linked, session: NewSession, provider: Provider) -> None:
    here, there = await linked(), await linked()
    provider.script(Answer(["One ", "two"], gates={1: Gate()}))
    chat = await session()
    asked = await here.ask(chat)
    await here.listener.until(a_delta)
    assert await there.stop(chat)
    assert (await stored_turn(asked.run_id)).status == "stopped"
    assert not await there.stop(chat, asked.run_id)


async def test_a_users_events_reach_nobody_else(linked: Linked, session: NewSession, provider: Provider) -> None:
    here, there = await linked(), await linked()
    stranger = Listener(here.user_id + 1)
    there.runner.connect(stranger.subscription)
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.until(a_delta)
    gate.open()
    await there.listener.end_of(asked.run_id)
    assert stranger.events == []


async def test_tabs_that_open_at_every_moment_elsewhere_all_end_with_the_same_text(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_runs, "SILENT_SECONDS", NEVER)
    here, there = await linked(), await linked()
    words = [f"word{number} " for number in range(20)]
    gates = {index: Gate() for index in range(len(words))}
    provider.script(Answer(words, gates=gates))
    chat = await session()
    asked = await here.ask(chat)
    tabs: list[Tab] = []
    for index, gate in gates.items():
        await stands_at(gate)
        if index % 3 == 1:
            await here.runner.supervisor.beat()
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


@pytest.mark.both_databases
@pytest.mark.parametrize("layer", [True, pytest.param(False, marks=pytest.mark.thorough)])
async def test_with_the_bus_cut_checkpoints_bring_the_text_and_the_poll_the_end(
    linked: Linked,
    new_host: NewHost,
    session: NewSession,
    provider: Provider,
    clock: Clock,
    without_a_word: ExitStack,
    layer: bool,
) -> None:
    """The channel layer does not carry anything, or there is none."""
    start = linked if layer else new_host
    here, there = await start(), await start()
    gates = {number: Gate() for number in (1, 2, 3)}
    provider.script(Answer(["One ", "two ", "three"], gates=gates))
    chat = await session()
    await there.open(chat)
    for host in (here, there):
        await host.runner.supervisor.stop()
    if layer:
        without_a_word.enter_context(linked.cut(here, there))
    asked = await here.ask(chat)
    text = ""
    for gate, word in zip(gates.values(), ["One ", "two ", "three"], strict=True):
        await stands_at(gate)
        text += word
        await shows(here, asked.run_id, text)
        await here.runner.supervisor.beat()
        await there.runner.supervisor.poll()
        await there.listener.until(lambda event: event["event"].get("name") == "turn.began")
        clock.advance(1.5)
        await there.runner.supervisor.poll()
        assert there.listener.text(asked.run_id) == text
        gate.open()
    told = await here.listener.end_of(asked.run_id)
    await there.runner.supervisor.poll()
    assert await there.listener.end_of(asked.run_id) == told
    seqs = [event["seq"] for event in there.listener.run(asked.run_id)]
    assert seqs == sorted(set(seqs))


async def test_an_end_that_nobody_told_comes_with_the_next_poll(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.until(a_delta)
    with linked.cut(here):
        gate.open()
        told = await here.listener.end_of(asked.run_id)
        for _ in range(3):
            await there.runner.supervisor.poll()
        assert await there.listener.end_of(asked.run_id) == told
    ends = [event for event in there.listener.run(asked.run_id) if event["event"]["type"] == "RUN_FINISHED"]
    assert len(ends) == 1


@pytest.mark.thorough
async def test_a_run_that_goes_on_where_events_were_lost_is_whole_again(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was lost is sent again to who says how far it came."""
    here, there = await linked(), await linked()
    gates = {1: Gate(), 2: Gate(), 3: Gate()}
    provider.script(Answer(["One ", "two ", "three ", "four"], gates=gates))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await shows(there, asked.run_id, "One ")
    with linked.cut(here) as lost:
        gates[1].open()
        await shows(here, asked.run_id, "One two ")
        await lost.until("event")
    gates[2].open()
    await shows(here, asked.run_id, "One two three ")
    await there.runner.supervisor.poll()
    await shows(there, asked.run_id, "One two three ")
    gates[3].open()
    await there.listener.end_of(asked.run_id)
    assert_same(here, there, asked.run_id)


async def test_events_that_come_after_what_they_tell_was_shown_are_not_shown_again(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.until(a_delta)
    with linked.cut(here) as late:
        gate.open()
        await here.listener.end_of(asked.run_id)
        await late.until("hint")
    view = await there.open(chat)
    assert (view["run"], view["messages"][-1].text) == (None, "One two")
    before = there.listener.run(asked.run_id)
    events = [message for message in late.messages if message["kind"] == "event"]
    assert events
    for message in events:
        there.runner.remote.take(message)
    assert there.listener.run(asked.run_id) == before


async def test_an_owner_that_hears_of_the_end_of_its_turn_says_no_more(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    """It was silent for a lease, and who took over tells so before its next heartbeat would."""
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await here.ask(chat)
    await here.listener.until(a_delta)
    run = here.runner.registry.get(chat)
    assert run is not None
    await fall_silent(here, asked.run_id)
    await within(taken_over(there, run_id=asked.run_id))
    assert (await here.listener.end_of(asked.run_id))["event"]["code"] == "interrupted"
    gate.open()
    await within(run.ended.wait())
    assert here.runner.runs == []
    last = here.listener.run(asked.run_id)[-1]
    assert last == await here.listener.end_of(asked.run_id)


@pytest.mark.thorough
async def test_who_opens_ahead_of_events_on_their_way_makes_no_gap_for_others(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint is in the database before the events have come over the channel layer."""
    monkeypatch.setattr(remote_runs, "SILENT_SECONDS", NEVER)
    here, there = await linked(), await linked()
    gates = {1: Gate(), 2: Gate()}
    provider.script(Answer(["One ", "two ", "three"], gates=gates))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await shows(there, asked.run_id, "One ")
    with linked.cut(here) as on_their_way:
        gates[1].open()
        await shows(here, asked.run_id, "One two ")
        await on_their_way.until("event")
        await here.runner.supervisor.beat()
        tab = Tab(there.user_id)
        await tab.open(there, chat)
    for message in on_their_way.messages:
        if message["kind"] == "event":
            there.runner.remote.take(message)
    await shows(there, asked.run_id, "One two ")
    gates[2].open()
    await there.listener.end_of(asked.run_id)
    assert_same(here, there, asked.run_id)
    await tab.listener.end_of(asked.run_id)
    assert tab.result["run"].text + text_of(tab.events(asked.run_id)) == "One two three"


# Between a commit and its delivery


async def test_a_turn_that_begins_while_its_session_is_opened_is_told(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fact that it began arrives after the snapshot was read, and before the session is open."""
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await here.open(chat)
    here.opened.add(chat)
    slow = SlowSnapshot(monkeypatch)
    opening = asyncio.create_task(there.open(chat))
    await within(slow.read.wait())
    other = Listener(there.user_id)
    there.runner.connect(other.subscription)
    asked = await here.ask(chat)
    await stands_at(gate)
    await other.fact("turn.began")
    slow.go.set()
    assert (await within(opening))["run"] is None
    await shows(there, asked.run_id, "One ")
    gate.open()
    await there.listener.end_of(asked.run_id)
    assert_same(here, there, asked.run_id)


async def test_who_opens_before_the_fact_has_come_takes_nothing_from_others(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One tab has the session open since before the turn. Another opens it, and no word of the turn has come yet."""
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await there.open(chat)
    await database.write(write, a_fact(here.user_id))
    late = Tab(there.user_id)
    with monkeypatch.context() as silent:
        silent.setattr(there.runner.delivery, "hint", lambda user_id, cursor: None)
        asked = await here.ask(chat)
        await stands_at(gate)
        await late.open(there, chat)
        assert late.result["run"].run_id == asked.run_id
        # By now the process has the text, and keeps it for who is to be told first that there is a turn.
        while (await within(there.open(chat, Listener(there.user_id))))["run"].text != "One ":
            await there.runner.remote.poll()
        assert there.listener.run(asked.run_id) == []
    await there.runner.supervisor.poll()
    await shows(there, asked.run_id, "One ")
    gate.open()
    end = await there.listener.end_of(asked.run_id)
    assert_same(here, there, asked.run_id)
    assert await late.listener.end_of(asked.run_id) == end
    assert late.result["run"].text + text_of(late.events(asked.run_id)) == "One two"
    names = there.listener.events
    began = [place for place, event in enumerate(names) if event["event"].get("name") == "turn.began"]
    assert began < [names.index(there.listener.run(asked.run_id)[0])]


async def test_a_run_that_ended_while_its_session_was_opened_is_forgotten(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    asked = await here.ask(chat)
    await here.listener.until(a_delta)
    slow = SlowSnapshot(monkeypatch)
    tab = Tab(there.user_id)
    opening = asyncio.create_task(tab.open(there, chat))
    await within(slow.read.wait())
    gate.open()
    told = await here.listener.end_of(asked.run_id)
    await there.listener.until(lambda event: event["event"].get("name") == "turn.ended")
    slow.go.set()
    await within(opening)
    assert tab.result["run"].run_id == asked.run_id
    assert await tab.listener.end_of(asked.run_id) == told
    clock.advance(1.5)
    await there.runner.supervisor.poll()
    sent: list[Message] = []
    monkeypatch.setattr(there.runner.bus, "send", lambda group, message: sent.append(message))
    await there.runner.supervisor.poll()
    assert sent == []


@pytest.mark.thorough
async def test_who_opens_between_two_steps_elsewhere_gets_the_second_alone(
    linked: Linked, session: NewSession, provider: Provider
) -> None:
    """The first is among the messages, and the checkpoint may be of its middle."""
    here, there = await linked(), await linked()
    gates = [Gate(), Gate()]
    provider.script(
        Answer(["See: ", "it is "], calls=[CALCULATE], gates={1: gates[0]}),
        Answer(["42", "."], gates={0: gates[1]}),
    )
    chat = await session()
    asked = await here.ask(chat)
    await here.listener.until(a_delta)
    await here.runner.supervisor.beat()
    gates[0].open()
    await stands_at(gates[1])
    # Were the turn's beginning told while a tab opens the session, its run would be followed from the first event on.
    await idle(there)
    tabs = [Tab(there.user_id), Tab(there.user_id)]
    await tabs[0].open(there, chat)
    await tabs[0].listener.until(lambda event: event["event"]["type"] == "TEXT_MESSAGE_END")
    await tabs[1].open(there, chat)
    first = tabs[0].result["messages"][1]
    assert first.text == "See: it is "
    for tab in tabs:
        # The second, of which there is no word yet; or the first, of which nothing more comes.
        run: RunShape = tab.result["run"]
        assert run.text == (first.text if run.message_id == first.id else "")
    gates[1].open()
    end = await here.listener.end_of(asked.run_id)
    stored = [
        (str(message.id), message.text)
        for message in (await here.open(chat))["messages"]
        if message.role == "assistant"
    ]
    for tab in tabs:
        assert await tab.listener.end_of(asked.run_id) == end
        assert tab.answers(asked.run_id, stored) == stored
        assert all(
            event["event"].get("messageId") != str(first.id) for event in tab.events(asked.run_id) if a_delta(event)
        )


async def test_of_a_closed_session_nothing_is_asked_for(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await linked(), await linked()
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    chat = await session()
    await there.open(chat)
    asked = await here.ask(chat)
    await there.listener.until(a_delta)
    there.listener.subscription.close(chat)
    await there.runner.supervisor.poll()
    sent: list[Message] = []
    monkeypatch.setattr(there.runner.bus, "send", lambda group, message: sent.append(message))
    await there.runner.supervisor.poll()
    assert sent == []
    run: RunShape = (await there.open(chat))["run"]
    assert run.run_id == asked.run_id
    gate.open()
    await there.listener.end_of(asked.run_id)


async def test_facts_alone_bring_on_a_process_that_heard_nothing(
    linked: Linked, session: NewSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await linked(), await linked()
    chat = await session()
    await there.open(chat)
    with linked.cut(here):
        asked = await here.ask(chat)
        told = await here.listener.end_of(asked.run_id)
    assert there.listener.run(asked.run_id) == []
    await there.runner.supervisor.poll()
    assert await there.listener.end_of(asked.run_id) == told
    head = await database.read(journal.head, there.user_id)
    await there.listener.until(lambda event: event.get("cursor") == head)
    cursors = [event["cursor"] for event in there.listener.events if "cursor" in event]
    assert cursors == list(range(1, head + 1))
