"""A round of the event loop begins so much work and no more, and no user's waits for all of another's."""

from __future__ import annotations

import asyncio
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.scheduling.pace import Pace


def begin(pace: Pace, users: str, begun: list[str]) -> None:
    """Work of these users, which says whose it is when it begins."""
    for user in users:
        pace.begin(user, partial(begun.append, user))


async def rounds_of(pace: Pace, users: str) -> list[str]:
    """The users whose work begins in each round of the loop, when all of it is there in the first."""
    begun: list[str] = []
    begin(pace, users, begun)
    rounds = [begun[:]]
    while sum(map(len, rounds)) < len(users):
        await asyncio.sleep(0)
        rounds.append(begun[sum(map(len, rounds)) :])
    return ["".join(each) for each in rounds]


async def test_work_that_finds_room_begins_at_once() -> None:
    pace, begun = Pace(3), list[str]()
    begin(pace, "abcd", begun)
    assert begun == ["a", "b", "c"]
    await asyncio.sleep(0)
    assert begun == ["a", "b", "c", "d"]


@given(users=st.text("abc", min_size=1, max_size=30), size=st.integers(1, 5))
def test_every_round_begins_as_much_as_it_may(users: str, size: int) -> None:
    rounds = asyncio.run(rounds_of(Pace(size), users))
    assert sorted("".join(rounds)) == sorted(users)
    assert all(len(each) == size for each in rounds[:-1])
    assert len(rounds[-1]) <= size


async def test_one_users_work_comes_in_the_round_after_the_first() -> None:
    rounds = await rounds_of(Pace(4), "m" * 100 + "o")
    assert rounds[0] == "mmmm"
    assert "o" in rounds[1]


async def test_a_pace_that_rested_has_its_whole_room_again() -> None:
    pace = Pace(2)
    assert await rounds_of(pace, "aaa") == ["aa", "a"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await rounds_of(pace, "bbb") == ["bb", "b"]
