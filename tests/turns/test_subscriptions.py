"""Who receives what, and in which order: the two rules that hold for each connection."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from ag_ui.core import RunErrorEvent
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.journal import Fact
from sessions_app.models import FactName
from sessions_app.realtime.notices import FactNotice, RunNotice, fact_notice, run_notice
from sessions_app.realtime.subscriptions import Opened, Subscription, Subscriptions

SESSION, RUN, OTHER = uuid4(), uuid4(), uuid4()
USER = 1


def a_fact(cursor: int) -> FactNotice:
    return fact_notice(Fact(USER, FactName.SESSION_UPDATED, SESSION, cursor=cursor))


def an_event(seq: int | None, *, run_id: UUID = RUN, began: int = 1, session_id: UUID = SESSION) -> RunNotice:
    return run_notice(session_id, run_id, seq, RunErrorEvent(message="any"), began=began)


class Connection:
    """A connection that notes what it is sent: cursors of facts, (run, seq) of run events, words of its own."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.subscription = Subscription(USER, self._take)

    def _take(self, frame: str) -> None:
        params = json.loads(frame)["params"]
        self.got.append(params["cursor"] if "cursor" in params else (UUID(params["run_id"]), params["seq"]))

    def answer(self, command: int) -> None:
        """Answer a command, as the socket does: the answer is queued, then the command ends."""
        self.got.append(f"answer {command}")
        self.subscription.end_command(command)


@pytest.fixture
def connection() -> Connection:
    return Connection()


# Rule 1: what a command causes comes after its answer


def test_what_comes_while_nothing_is_asked_is_sent_at_once(connection: Connection) -> None:
    connection.subscription.deliver(a_fact(1))
    assert connection.got == [1]


def test_what_a_command_causes_comes_after_its_answer(connection: Connection) -> None:
    command = connection.subscription.begin_command()
    connection.subscription.deliver(a_fact(1))
    assert connection.got == []
    connection.answer(command)
    connection.subscription.deliver(a_fact(2))
    assert connection.got == ["answer 1", 1, 2]


def test_what_comes_later_waits_behind_what_is_held(connection: Connection) -> None:
    first, second = connection.subscription.begin_command(), connection.subscription.begin_command()
    connection.subscription.deliver(a_fact(1))
    connection.answer(second)
    connection.subscription.deliver(a_fact(2))
    assert connection.got == ["answer 2"]
    connection.answer(first)
    assert connection.got == ["answer 2", "answer 1", 1, 2]


def test_a_command_that_begins_later_holds_up_nothing_that_is_held(connection: Connection) -> None:
    first = connection.subscription.begin_command()
    connection.subscription.deliver(a_fact(1))
    connection.subscription.begin_command()
    connection.answer(first)
    assert connection.got == ["answer 1", 1]


def test_who_always_has_a_command_under_way_receives_everything(connection: Connection) -> None:
    command = connection.subscription.begin_command()
    for number in range(1, 101):
        connection.subscription.deliver(a_fact(number))
        following = connection.subscription.begin_command()
        connection.answer(command)
        command = following
        assert [got for got in connection.got if isinstance(got, int)] == list(range(1, number + 1))


@given(st.lists(st.tuples(st.sampled_from(["begin", "end", "deliver"]), st.integers(0, 5)), max_size=40))
def test_the_order_is_kept_and_nothing_comes_before_an_answer_it_waits_for(steps: list[tuple[str, int]]) -> None:
    connection = Connection()
    under_way: list[int] = []
    delivered: dict[int, set[int]] = {}
    for kind, number in steps:
        if kind == "begin":
            under_way.append(connection.subscription.begin_command())
        elif kind == "end" and under_way:
            connection.answer(under_way.pop(number % len(under_way)))
        elif kind == "deliver":
            delivered[len(delivered) + 1] = set(under_way)
            connection.subscription.deliver(a_fact(len(delivered)))
        waits = [cursor for cursor, commands in delivered.items() if commands & set(under_way)]
        facts = [got for got in connection.got if isinstance(got, int)]
        assert facts == list(range(1, min(waits, default=len(delivered) + 1)))


def test_a_command_that_ends_twice_or_late_does_no_harm(connection: Connection) -> None:
    command = connection.subscription.begin_command()
    connection.subscription.end_command(command)
    connection.subscription.end_command(command)
    connection.subscription.deliver(a_fact(1))
    assert connection.got == [1]


# Rule 2: session.open answers one moment


@pytest.mark.parametrize(
    ("opened", "notice", "lacks"),
    [
        # The run that was answered: what comes after its seq, and an end without a number.
        (Opened(5, RUN, 3), an_event(3, began=4), False),
        (Opened(5, RUN, 3), an_event(4, began=4), True),
        (Opened(5, RUN, 0), an_event(1, began=4), True),
        (Opened(5, RUN, 3), an_event(None, began=9), True),
        # The same where nobody knows when it began, or it is another process's that began after all.
        (Opened(5, RUN, 3), an_event(4, began=0), True),
        (Opened(5, RUN, 3), an_event(2, began=9), False),
        # Runs that began after the answer: whole.
        (Opened(5, RUN, 3), an_event(1, run_id=OTHER, began=6), True),
        (Opened(5, None, 0), an_event(1, began=6), True),
        (Opened(5, None, 0), an_event(None, began=6), True),
        # Runs that had ended by then: nothing, though their events come late.
        (Opened(5, RUN, 3), an_event(9, run_id=OTHER, began=4), False),
        (Opened(5, None, 0), an_event(9, began=5), False),
        (Opened(5, None, 0), an_event(None, began=5), False),
        (Opened(5, None, 0), an_event(1, began=0), False),
    ],
)
def test_an_opened_session_lacks(opened: Opened, notice: RunNotice, lacks: bool) -> None:
    assert opened.lacks(notice) is lacks


def test_run_events_go_to_those_alone_that_have_opened_the_session(connection: Connection) -> None:
    subscription = connection.subscription
    subscription.deliver(an_event(1))
    subscription.open(SESSION, Opened(0, None, 0))
    subscription.deliver(an_event(2))
    subscription.deliver(an_event(3, session_id=uuid4()))
    subscription.close(SESSION)
    subscription.deliver(an_event(4))
    assert connection.got == [(RUN, 2)]


def test_what_is_held_is_judged_by_the_answer_that_it_waited_for(connection: Connection) -> None:
    """It came before the session was open, and the answer has some of it."""
    command = connection.subscription.begin_command()
    for seq in (1, 2, 3):
        connection.subscription.deliver(an_event(seq))
    connection.subscription.open(SESSION, Opened(1, RUN, 2))
    connection.answer(command)
    assert connection.got == ["answer 1", (RUN, 3)]


def test_a_session_opened_again_goes_on_from_the_second_answer(connection: Connection) -> None:
    connection.subscription.open(SESSION, Opened(1, RUN, 1))
    connection.subscription.open(SESSION, Opened(1, RUN, 5))
    connection.subscription.deliver(an_event(5))
    connection.subscription.deliver(an_event(6))
    assert connection.got == [(RUN, 6)]


def test_a_deleted_session_is_open_until_that_is_told(connection: Connection) -> None:
    """Nobody can close it any more, and the last event of its run comes first."""
    connection.subscription.open(SESSION, Opened(1, RUN, 0))
    command = connection.subscription.begin_command()
    connection.subscription.deliver(an_event(1))
    connection.subscription.deliver(fact_notice(Fact(USER, FactName.SESSION_DELETED, SESSION, cursor=2)))
    connection.answer(command)
    assert connection.got == ["answer 1", (RUN, 1), 2]
    assert not connection.subscription.has_open(SESSION)


def test_a_session_that_is_being_opened_counts_as_open(connection: Connection) -> None:
    """Also where it was open before; and no more where it could not be opened."""
    subscription = connection.subscription
    with suppress(KeyError), subscription.opening(SESSION):
        with subscription.opening(SESSION):
            assert subscription.has_open(SESSION)
        assert subscription.has_open(SESSION)
        raise KeyError
    assert not subscription.has_open(SESSION)
    assert subscription.opened == {}


# All connections of a process


class Watcher:
    """Notes who comes and goes."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def user_came(self, user_id: int) -> None:
        self.seen.append(("came", user_id))

    def user_left(self, user_id: int) -> None:
        self.seen.append(("left", user_id))


def test_the_watcher_is_told_of_first_and_last_connections() -> None:
    watcher = Watcher()
    subscriptions = Subscriptions(watcher)
    first, second, stranger = (Subscription(user_id, lambda frame: None) for user_id in (1, 1, 2))
    for each in (first, second, stranger):
        subscriptions.add(each)
    assert (subscriptions.users, subscriptions.size) == ([1, 2], 3)
    subscriptions.remove(first)
    subscriptions.remove(stranger)
    assert (subscriptions.has(1), subscriptions.has(2)) == (True, False)
    subscriptions.remove(second)
    assert watcher.seen == [("came", 1), ("came", 2), ("left", 2), ("left", 1)]


def test_a_notice_reaches_all_connections_of_its_user_and_nobody_else() -> None:
    subscriptions = Subscriptions(Watcher())
    mine, also_mine = Connection(), Connection()
    theirs: list[str] = []
    for each in (mine.subscription, also_mine.subscription, Subscription(2, theirs.append)):
        subscriptions.add(each)
    subscriptions.deliver(1, a_fact(1))
    assert (mine.got, also_mine.got, theirs) == ([1], [1], [])


def test_a_session_is_open_as_long_as_one_connection_has_it_open() -> None:
    subscriptions = Subscriptions(Watcher())
    one, two = Connection(), Connection()
    for each in (one, two):
        subscriptions.add(each.subscription)
        each.subscription.open(SESSION, Opened(0, None, 0))
    one.subscription.close(SESSION)
    assert subscriptions.is_open(USER, SESSION)
    assert not subscriptions.is_open(USER + 1, SESSION)
    assert subscriptions.open_sessions == {(USER, SESSION)}
    subscriptions.remove(two.subscription)
    assert not subscriptions.is_open(USER, SESSION)
    assert subscriptions.open_sessions == set()
