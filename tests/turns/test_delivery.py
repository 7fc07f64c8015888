"""Facts reach every connection strictly by cursor, each once, however word of them comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from ag_ui.core import RunErrorEvent
from django.contrib.auth.models import AbstractUser
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sessions_app import database, journal
from sessions_app.journal import Fact, foreign
from sessions_app.models import FactName, JournalEntry
from sessions_app.realtime import delivery
from sessions_app.realtime.delivery import Delivery
from sessions_app.realtime.notices import RunNotice, run_notice
from sessions_app.realtime.subscriptions import Opened
from tests.clock import Clock
from tests.journal.facts import a_fact, write
from tests.providers.fixtures import Provider
from tests.providers.script import Answer, Call, Gate
from tests.turns.fixtures import NewHost, NewSession
from tests.turns.host import Event, Host, Listener, stands_at, within
from tests.turns.slow import SlowWrite

pytestmark = pytest.mark.one_database

IN_A_TEST = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def cursors(listener: Listener) -> list[int]:
    """The cursors of the facts that a connection was told, as they came."""
    return [event["cursor"] for event in listener.events if "cursor" in event]


class Receiver:
    """A delivery of its own, and one connection over it: what a process has for a user, without turns."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.delivery = Delivery(lambda fact: None)
        self.listener = Listener(user_id)
        self.connections: list[Listener] = []

    async def connect(self) -> int:
        """Begin to receive; returns the cursor from which on."""
        self.add(self.listener)
        await within(self.delivery.ready(self.user_id))
        return await database.read(journal.head, self.user_id)

    def add(self, listener: Listener) -> None:
        self.delivery.subscriptions.add(listener.subscription)
        self.connections.append(listener)

    def disconnect(self) -> None:
        self.delivery.subscriptions.remove(self.listener.subscription)
        self.connections.remove(self.listener)

    async def commit(self, count: int = 1) -> list[Fact]:
        return await database.write(write, *(a_fact(self.user_id) for _ in range(count)))

    async def until(self, cursor: int) -> None:
        """Return when a fact has come, polling as a process does, again and again: a read under way may miss it."""
        await within(self._poll_until(cursor))

    async def _poll_until(self, cursor: int) -> None:
        await self.delivery.poll()
        while cursor not in cursors(self.listener):
            await self.delivery.poll()


@pytest.fixture
def receiver(user: AbstractUser) -> Iterator[Receiver]:
    made = Receiver(user.pk)
    yield made
    for connection in made.connections:
        made.delivery.subscriptions.remove(connection.subscription)


# What may happen, in any order: a commit of some facts, with a run or without; word of one of those; a run's event.
COMMIT = st.tuples(st.just("commit"), st.integers(1, 3))
BEGIN = st.tuples(st.just("begin"), st.integers(1, 3))
WORD = st.tuples(st.sampled_from(["announce", "hint", "event", "poll", "breathe"]), st.integers(0, 9))
HAPPENINGS = st.lists(st.one_of(COMMIT, BEGIN, WORD, WORD), max_size=25)


class World:
    """Commits, and what is told of them, as the test draws it."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.session_id = uuid4()
        self.committed: list[list[Fact]] = []
        # Each run with the cursor of its beginning, and how many events it had.
        self.runs: dict[UUID, tuple[int, int]] = {}

    async def happen(self, kind: str, number: int) -> None:
        match kind:
            case "commit":
                self.committed.append(await self.receiver.commit(number))
            case "begin":
                await self._begin(number)
            case "announce" if self.committed:
                self.receiver.delivery.announce(self.committed[number % len(self.committed)])
            case "hint" if self.committed:
                self.receiver.delivery.hint(
                    self.receiver.user_id, self.committed[number % len(self.committed)][-1].cursor
                )
            case "event" if self.runs:
                self._show(list(self.runs)[number % len(self.runs)])
            case "poll":
                await self.receiver.delivery.poll()
            case "breathe":
                await asyncio.sleep(0)

    async def _begin(self, number: int) -> None:
        user_id, run_id = self.receiver.user_id, uuid4()
        began = Fact(user_id, FactName.TURN_BEGAN, self.session_id, run_id)
        facts = await database.write(write, *(a_fact(user_id) for _ in range(number)), began)
        self.committed.append(facts)
        self.runs[run_id] = (facts[-1].cursor, 0)

    def _show(self, run_id: UUID) -> None:
        began, seq = self.runs[run_id]
        self.runs[run_id] = (began, seq + 1)
        self.receiver.delivery.run_event(self.receiver.user_id, an_event(self.session_id, run_id, seq + 1, began))


def an_event(session_id: UUID, run_id: UUID, seq: int | None, began: int) -> RunNotice:
    return run_notice(session_id, run_id, seq, RunErrorEvent(message="any"), began=began)


@IN_A_TEST
@given(HAPPENINGS)
@example([("commit", 1), ("commit", 1), ("announce", 1), ("announce", 0)])
@example([("begin", 1), ("event", 0), ("commit", 2), ("hint", 1), ("event", 0), ("announce", 0), ("event", 0)])
@example([("commit", 3), ("hint", 0), ("breathe", 0), ("commit", 1), ("announce", 1), ("announce", 0)])
async def test_all_facts_come_once_and_in_order(user: AbstractUser, happenings: list[tuple[str, int]]) -> None:
    receiver = Receiver(user.pk)
    start = await receiver.connect()
    world = World(receiver)
    receiver.listener.subscription.open(world.session_id, Opened(start, None, 0))
    for kind, number in happenings:
        await world.happen(kind, number)
    [last] = await receiver.commit()
    await receiver.until(last.cursor)
    assert cursors(receiver.listener) == list(range(start + 1, last.cursor + 1))
    for run_id, (began, count) in world.runs.items():
        assert [event["seq"] for event in receiver.listener.run(run_id)] == list(range(1, count + 1))
        assert count == 0 or place_of(receiver.listener, began) < receiver.listener.events.index(
            receiver.listener.run(run_id)[0]
        )
    receiver.disconnect()


def place_of(listener: Listener, cursor: int) -> int:
    """Where among all that a connection was told a fact stands."""
    [place] = [place for place, event in enumerate(listener.events) if event.get("cursor") == cursor]
    return place


async def test_pages_longer_than_one_read_come_whole(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PAGE", 3)
    start = await receiver.connect()
    facts = await receiver.commit(10)
    await receiver.until(facts[-1].cursor)
    assert cursors(receiver.listener) == list(range(start + 1, start + 11))


async def test_who_connects_gets_exactly_what_is_committed_afterwards(receiver: Receiver) -> None:
    await receiver.commit(3)
    await receiver.connect()
    facts = await receiver.commit(2)
    await receiver.until(facts[-1].cursor)
    assert cursors(receiver.listener) == [4, 5]


async def test_what_is_announced_before_the_place_is_known_is_not_lost(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was committed after the head was read, and comes before that has arrived; or before, and is not told."""
    await receiver.commit()
    slow = SlowRead(monkeypatch, journal, "head")
    receiver.add(receiver.listener)
    await within(slow.done.wait())
    receiver.delivery.announce(await receiver.commit(2))
    assert receiver.listener.events == []
    slow.go.set()
    await within(receiver.delivery.ready(receiver.user_id))
    await receiver.until(3)
    assert cursors(receiver.listener) == [2, 3]


class SlowRead(SlowWrite):
    """Has read (``done``), and brings what it read when told to by `go`; once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
        super().__init__(monkeypatch, module, name)
        self.done = self.begun
        self._is_first = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = self._function(*args, **kwargs)
        if self._is_first:
            self._is_first = False
            self._loop.call_soon_threadsafe(self.done.set)
            assert self.go.wait(60)
        return found


@pytest.mark.parametrize("what", ["head", "after"])
async def test_a_user_who_leaves_and_comes_back_amid_a_read_gets_all(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    if what == "after":
        await receiver.connect()
        await receiver.commit()
    slow = SlowRead(monkeypatch, journal, what)
    if what == "after":
        receiver.delivery.hint(receiver.user_id, 1)
    else:
        receiver.add(receiver.listener)
    await within(slow.done.wait())
    receiver.disconnect()
    again = Listener(receiver.user_id)
    receiver.add(again)
    slow.go.set()
    await within(receiver.delivery.ready(receiver.user_id))
    start = await database.read(journal.head, receiver.user_id)
    facts = await receiver.commit(2)
    receiver.delivery.announce(facts)
    await again.until(lambda event: event.get("cursor") == facts[-1].cursor)
    assert cursors(again) == [start + 1, start + 2]
    assert receiver.listener.events == []


async def test_a_second_connection_waits_for_the_place_although_the_first_leaves(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowRead(monkeypatch, journal, "head")
    second = Listener(receiver.user_id)
    for listener in (receiver.listener, second):
        receiver.add(listener)
    await within(slow.done.wait())
    receiver.disconnect()
    ready = asyncio.create_task(receiver.delivery.ready(receiver.user_id))
    slow.go.set()
    await within(ready)
    facts = await receiver.commit()
    receiver.delivery.announce(facts)
    assert cursors(second) == [1]


@pytest.mark.both_databases
async def test_facts_removed_under_a_slow_reader_are_a_gap_and_no_end(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client sees it by the cursors, and asks; what comes next is told as ever."""
    await receiver.connect()
    await receiver.commit(5)
    await database.write(lambda: JournalEntry.objects.filter(cursor__lte=4).delete())
    session_id, run_id = uuid4(), uuid4()
    receiver.listener.subscription.open(session_id, Opened(0, None, 0))
    receiver.delivery.run_event(receiver.user_id, an_event(session_id, run_id, 1, began=5))
    await receiver.delivery.poll()
    await receiver.listener.until(lambda event: event["run_id"] == str(run_id))
    facts = await receiver.commit(2)
    await receiver.until(facts[-1].cursor)
    assert cursors(receiver.listener) == [6, 7]


async def test_word_of_a_cursor_that_is_not_there_does_not_read_for_ever(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a database leaves that has lost its last commits."""
    await receiver.connect()
    read, after = [], journal.after

    def counted(*args: Any) -> journal.Page:
        read.append(args)
        return after(*args)

    monkeypatch.setattr(journal, "after", counted)
    receiver.delivery.hint(receiver.user_id, 1_000)
    facts = await receiver.commit(2)
    await receiver.until(facts[-1].cursor)
    for _ in range(20):
        await database.read(journal.head, receiver.user_id)
    assert len(read) <= 4
    assert cursors(receiver.listener) == [1, 2]
    receiver.delivery.announce(await receiver.commit())
    assert cursors(receiver.listener) == [1, 2, 3]


async def test_a_read_that_fails_is_tried_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    await receiver.connect()
    after = journal.after

    def fails_once(*args: Any) -> journal.Page:
        monkeypatch.setattr(journal, "after", after)
        raise ZeroDivisionError

    monkeypatch.setattr(journal, "after", fails_once)
    await receiver.commit()
    await receiver.delivery.poll()
    await clock.until(lambda: cursors(receiver.listener) == [1], 1.0)


# Two processes that share nothing but the database


async def without_polls(*hosts: Host) -> None:
    for host in hosts:
        await host.runner.supervisor.stop()


async def ended_somewhere(run_id: UUID, *hosts: Host) -> None:
    """Return when the process that has run a turn tells that it has ended."""
    ends = [asyncio.create_task(host.listener.end_of(run_id)) for host in hosts]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()


async def until_all_came(*hosts: Host) -> int:
    """Have each process poll and deliver all there is; returns the newest cursor."""
    head = await database.read(journal.head, hosts[0].user_id)
    for host in hosts:
        await host.runner.supervisor.poll()
        if head > 0 and head not in cursors(host.listener):
            await host.listener.until(lambda event: event.get("cursor") == head)
    return head


@pytest.mark.thorough_on_postgresql
@pytest.mark.both_databases
async def test_two_processes_tell_the_same_in_the_same_order(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    here, there = await new_host(), await new_host()
    await without_polls(here, there)
    chats = [await session() for _ in range(3)]
    for chat in chats:
        await here.open(chat)
        await there.open(chat)
    for _ in range(2):
        asked = await asyncio.gather(
            *(host.ask(chat) for chat, host in zip(chats, (here, there, here), strict=True)),
            *(host.ask(chat) for chat, host in zip(chats, (there, here, there), strict=True)),
        )
        await there.runner.supervisor.poll()
    for each in asked:
        await ended_somewhere(each.run_id, here, there)
    head = await until_all_came(here, there)
    for host in (here, there):
        assert cursors(host.listener) == list(range(1, head + 1))
        assert_each_run_is_told_well(host.listener)


def assert_each_run_is_told_well(listener: Listener) -> None:
    """Its events after it began, its answer before its end, and its end once."""
    facts = [(place, event) for place, event in enumerate(listener.events) if event["event"]["type"] == "CUSTOM"]
    began = {e["event"]["value"]["run_id"]: p for p, e in facts if e["event"]["name"] == "turn.began"}
    answers = {e["event"]["value"]["id"]: p for p, e in facts if e["event"]["name"] == "message.created"}
    for place, event in facts:
        if event["event"]["name"] != "turn.ended":
            continue
        value = event["event"]["value"]
        run: list[Event] = listener.run(UUID(value["run_id"]))
        assert [e for e in run if e["event"]["type"] in ("RUN_FINISHED", "RUN_ERROR")] == run[-1:] != []
        places = [listener.events.index(e) for e in run]
        assert began[value["run_id"]] < places[0]
        assert began[value["run_id"]] < answers[value["message_id"]] < place < places[-1]


async def test_the_answer_comes_before_the_end_and_the_end_once(
    host: Host, session: NewSession, provider: Provider
) -> None:
    provider.script(Answer(["6 "], calls=[Call("calculator", '{"expression": "1+1"}')]), Answer(["2"]), Answer(["3"]))
    chat = await session()
    for _ in range(2):
        await host.turn(chat)
        for _ in range(2):
            await host.runner.supervisor.poll()
    assert_each_run_is_told_well(host.listener)
    answer, ended, last = host.listener.events[-4:-1]
    assert (answer["event"]["name"], ended["event"]["name"]) == ("message.created", "turn.ended")
    assert last["event"]["type"] == "RUN_FINISHED"
    assert answer["event"]["value"]["ledger"] == last["event"]["metadata"]["ledger"]


async def test_run_events_wait_for_the_fact_that_their_turn_began(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    """This process is behind: somebody else has committed before it began the turn, without a word."""
    here, there = await new_host(), await new_host()
    await without_polls(here, there)
    chat = await session()
    await here.open(chat)
    await until_all_came(here)
    before = len(here.listener.events)
    gate = Gate()
    provider.script(Answer(["One ", "two"], gates={1: gate}))
    await database.write(write, a_fact(here.user_id))
    asked = await here.ask(chat)
    await stands_at(gate)
    await here.listener.until(lambda event: event["event"].get("delta") == "One ")
    gate.open()
    await here.listener.end_of(asked.run_id)
    told = here.listener.events[before:]
    kinds = [event["event"].get("name", event["event"]["type"]) for event in told]
    assert kinds[:3] == ["session.updated", "message.created", "turn.began"]
    assert_each_run_is_told_well(here.listener)


async def test_facts_are_delivered_although_changes_of_others_cannot_be_told(
    new_host: NewHost, session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as on a full disk: what is there can be read."""
    here, there = await new_host(), await new_host()
    await without_polls(here, there)
    await session()

    def full(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(foreign, "find", lambda: [(there.user_id, uuid4())])
    monkeypatch.setattr(foreign, "tell", full)
    with pytest.raises(ZeroDivisionError):
        await there.runner.supervisor.poll()
    assert await there.listener.fact("session.created")


async def test_a_client_of_another_process_may_connect_amid_a_turn(
    new_host: NewHost, session: NewSession, provider: Provider
) -> None:
    here, there = await new_host(), await new_host()
    await without_polls(here, there)
    gate = Gate()
    provider.script(Answer(["One"], gates={0: gate}))
    chat = await session()
    asked = await here.ask(chat)
    await stands_at(gate)
    late = Listener(there.user_id)
    there.runner.disconnect(there.listener.subscription)
    there.runner.connect(late.subscription)
    await within(there.runner.delivery.ready(there.user_id))
    start = await database.read(journal.head, there.user_id)
    await there.open(chat, late)
    gate.open()
    told = await here.listener.end_of(asked.run_id)
    await there.runner.supervisor.poll()
    assert await late.end_of(asked.run_id) == told
    head = cast(int, await database.read(journal.head, there.user_id))
    await late.until(lambda event: event.get("cursor") == head)
    assert cursors(late) == list(range(start + 1, head + 1))
