"""Among k users no first item waits for more than k - 1 items of others; each user's items keep their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sessions_app.scheduling.queue import FairQueue

USERS = st.sampled_from("abcde")


def test_a_thousand_items_of_one_user_hold_up_another_for_one() -> None:
    queue: FairQueue[int] = FairQueue()
    for number in range(1_000):
        queue.put("many", number)
    queue.put("one", -1)
    assert [queue.take(), queue.take()] == [0, -1]


def test_nothing_is_taken_where_nothing_waits() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.put("a", 1)
    queue.discard("a", 1)
    queue.discard("a", 1)
    queue.discard("b", 1)
    assert len(queue) == 0
    with pytest.raises(IndexError):
        queue.take()


@given(st.lists(USERS, min_size=1))
def test_a_user_alone_at_the_end_waits_once_for_each_other(users: list[str]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    for number, user in enumerate(users):
        queue.put(user, (user, number))
    queue.put("last", ("last", 0))
    taken = [queue.take()[0] for _ in range(len(set(users)) + 1)]
    assert sorted(taken) == sorted({*users, "last"})


def test_a_held_users_items_wait_and_then_come_behind_all_in_their_order() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.put("held", 1)
    queue.put("other", 10)
    queue.hold("held")
    queue.put("held", 2)
    queue.put("held", 3)
    queue.discard("held", 2)
    assert len(queue) == 3
    assert queue.take() == 10
    assert not queue.has_next
    with pytest.raises(IndexError):
        queue.take()
    queue.put("other", 11)
    queue.release("held")
    assert [queue.take() for _ in range(3)] == [11, 1, 3]


def test_a_user_is_held_and_released_without_items() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.hold("held")
    queue.release("held")
    assert not queue.has_next
    queue.put("held", 1)
    assert queue.take() == 1


class AnyOrder(RuleBasedStateMachine):
    """Items that come, go and are taken in any order, beside what the queue should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: FairQueue[tuple[str, int]] = FairQueue()
        self.held: dict[str, list[tuple[str, int]]] = {}
        self.number = 0
        # Of each user's first item: how many items of others were taken since it was that, and how many may be.
        self.passed: dict[str, int] = {}
        self.allowed: dict[str, int] = {}

    def becomes_first(self, user: str) -> None:
        self.passed[user], self.allowed[user] = 0, len(self.held) - 1

    @rule(user=USERS)
    def put(self, user: str) -> None:
        self.number += 1
        new = user not in self.held
        self.held.setdefault(user, []).append((user, self.number))
        self.queue.put(user, (user, self.number))
        if new:
            self.becomes_first(user)

    @precondition(lambda self: self.held)
    @rule()
    def take(self) -> None:
        user, number = self.queue.take()
        assert self.held[user].pop(0) == (user, number)
        assert self.passed[user] <= self.allowed[user]
        for other in self.held.keys() - {user}:
            self.passed[other] += 1
        self.settle(user)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        user, number = data.draw(st.sampled_from([item for items in self.held.values() for item in items]))
        self.queue.discard(user, (user, number))
        self.held[user].remove((user, number))
        if not self.held[user]:  # else the next one has the user's place, and what is left of the wait
            self.settle(user)

    def settle(self, user: str) -> None:
        """After one of the user's items has left: the next is the first, or the user is gone."""
        if self.held[user]:
            self.becomes_first(user)
        else:
            del self.held[user]

    @invariant()
    def it_holds_what_was_put_and_not_taken(self) -> None:
        assert len(self.queue) == sum(map(len, self.held.values()))


TestAnyOrder = AnyOrder.TestCase
