"""What the cache lets go for room and for idle time, and what it tells about itself."""

import contextlib
import dataclasses
from typing import get_args

import pytest

from agentcache import Stamp, Statistics
from agentcache.statistics import Event
from tests.agentcache.world import World, builder


async def test_the_agent_used_longest_ago_leaves_first() -> None:
    world = World(max_entries=2)
    for key in ("one", "two", "one", "three"):
        await world.visit(key, "A")
    assert await world.closings() == ["two"]
    assert world.cache.statistics().evicted == 1


async def test_an_agents_use_counts_from_the_end_of_its_turn() -> None:
    world = World(max_entries=2)
    async with world.cache.use("long", "sig", builder("long"), session_id="A"):
        await world.visit("short", "A")
    await world.visit("third", "A")
    assert await world.closings() == ["short"]


async def test_an_agent_in_a_turn_is_never_evicted_and_the_bound_is_kept_again_when_it_ends() -> None:
    world = World(max_entries=1)
    async with contextlib.AsyncExitStack() as turns:
        for key in ("one", "two", "three"):
            await turns.enter_async_context(world.cache.use(key, "sig", builder(key), session_id="A"))
        assert await world.closings() == []
        assert world.cache.statistics().entries == 3
    assert await world.closings() == ["three", "two"]
    assert world.cache.statistics().entries == 1


async def test_an_agent_that_leaves_takes_its_transcripts_and_their_bytes_along() -> None:
    world = World(max_entries=1)
    await world.visit("one", "A", "B", size=10)
    await world.visit("two", "A", size=1)
    figures = world.cache.statistics()
    assert (figures.transcripts, figures.bytes) == (1, 1)


async def test_the_transcript_used_longest_ago_is_dropped_first_whoever_it_belongs_to() -> None:
    world = World(max_bytes=30)
    await world.visit("one", "A", "B", size=10)
    await world.visit("two", "C", size=10)
    await world.visit("one", "A", size=10)
    await world.visit("two", "D", size=10)
    held = [(key, session_id) for key, session_id in (("one", "A"), ("one", "B"), ("two", "C"), ("two", "D"))]
    assert [await world.is_held(*place) for place in held] == [True, False, True, True]
    assert await world.closings() == []
    assert world.cache.statistics().dropped == 1


async def test_an_agent_makes_room_among_its_own_sessions_and_nobody_elses() -> None:
    world = World(max_bytes=100, max_agent_bytes=20)
    await world.visit("quiet", "A", size=10)
    await world.visit("busy", "A", "B", "C", "D", size=10)
    assert await world.is_held("quiet", "A")
    assert [await world.is_held("busy", session_id) for session_id in "ABCD"] == [False, False, True, True]
    assert world.cache.statistics().dropped == 2


async def test_a_new_agent_of_a_key_starts_with_its_whole_bound() -> None:
    world = World(max_agent_bytes=20)
    await world.visit("one", "A", "B", size=10)
    async with world.cache.use("one", "other", builder("one"), session_id="C") as lease:
        lease.keep([], Stamp(0, 0), 20)
    assert world.cache.statistics().bytes == 20


@pytest.mark.parametrize("bound", ["max_bytes", "max_agent_bytes"])
async def test_a_turn_that_keeps_nothing_new_counts_as_a_use_of_its_transcript(bound: str) -> None:
    world = World(**{bound: 20})
    await world.visit("one", "A", "B", size=10)
    assert await world.is_held("one", "A")
    await world.visit("one", "C", size=10)
    assert [await world.is_held("one", session_id) for session_id in "ABC"] == [True, False, True]


@pytest.mark.parametrize("bound", ["max_bytes", "max_agent_bytes"])
async def test_a_session_in_a_turn_keeps_its_transcript_and_the_bound_is_kept_again_when_it_ends(bound: str) -> None:
    world = World(**{bound: 10})
    async with world.cache.use("one", "sig", builder("one"), session_id="A") as lease:
        lease.keep([], Stamp(0, 0), 11)
        await world.visit("one", "B", size=1)
        assert lease.held() is not None
        assert world.cache.statistics().bytes == 11
    assert world.cache.statistics().bytes == 0


async def test_a_session_is_in_a_turn_until_the_last_of_its_leases_ends() -> None:
    world = World(max_bytes=10)
    async with world.cache.use("one", "sig", builder("one"), session_id="A") as lease:
        lease.keep([], Stamp(0, 0), 11)
        assert await world.is_held("one", "A")
        assert lease.held() is not None


async def test_a_turn_in_one_session_does_not_protect_the_agents_other_transcripts() -> None:
    world = World(max_bytes=10)
    await world.visit("one", "A", size=6)
    async with world.cache.use("one", "sig", builder("one"), session_id="B") as lease:
        lease.keep([], Stamp(0, 0), 6)
        assert world.cache.statistics().bytes == 6
        assert lease.held() is not None


async def test_bytes_are_those_of_what_is_held() -> None:
    world = World()
    async with world.cache.use("one", "sig", builder("one"), session_id="A") as lease:
        lease.keep([], Stamp(0, 0), 10)
        assert world.cache.statistics().bytes == 10
        lease.keep([], Stamp(1, 1), 7)
        assert world.cache.statistics().bytes == 7
        lease.rebaseline(old=Stamp(1, 1), new=Stamp(2, 2), size=9)
        assert world.cache.statistics().bytes == 9
        lease.rebaseline(old=Stamp(1, 1), new=Stamp(3, 3), size=100)
        assert world.cache.statistics().bytes == 9


async def test_a_transcript_that_grows_makes_room_for_itself() -> None:
    world = World(max_bytes=10)
    await world.visit("one", "A", size=5)
    async with world.cache.use("one", "sig", builder("one"), session_id="B") as lease:
        lease.keep([], Stamp(0, 0), 5)
        lease.rebaseline(old=Stamp(0, 0), new=Stamp(1, 1), size=6)
        assert world.cache.statistics().bytes == 6


async def test_an_agent_idle_for_too_long_leaves_at_the_next_sweep() -> None:
    world = World(max_idle=60.0)
    await world.visit("early", "A")
    world.now = 1.0
    await world.visit("late", "A")
    world.now = 60.0
    assert await world.closings() == ["early"]
    assert world.cache.statistics().expired == 1


async def test_idle_time_counts_from_the_end_of_the_last_turn() -> None:
    world = World(max_idle=60.0)
    async with world.cache.use("long", "sig", builder("long"), session_id="A"):
        world.now = 1_000.0
        assert await world.closings() == []
    world.now = 1_059.0
    assert await world.closings() == []
    world.now = 1_060.0
    assert await world.closings() == ["long"]


async def test_the_statistics_tell_what_is_and_what_happened() -> None:
    world = World(max_entries=2, max_bytes=20)
    await world.visit("one", "A", "B", size=10)
    await world.visit("two", "A", size=10)
    async with (
        world.cache.use("two", "other", builder("two"), session_id="A") as lease,
        world.cache.use("two", "other", builder("none"), session_id="B"),
    ):
        lease.keep([], Stamp(0, 0), 3)
        lease.rebaseline(old=Stamp(0, 0), new=Stamp(1, 1), size=4)
        lease.keep([], Stamp(1, 1), 5)
        assert world.cache.statistics() == Statistics(
            entries=2, in_turn=1, leases=2, transcripts=2, bytes=15, building=0, closing=1,
            hits=2, builds=3, replaced=1, loaded=5, advanced=1, dropped=1,
        )  # fmt: skip


def test_each_event_that_is_counted_has_its_figure() -> None:
    counted = {field.name for field in dataclasses.fields(Statistics) if field.default == 0}
    assert counted == set(get_args(Event))


async def test_the_statistics_are_a_record_that_nobody_changes(world: World) -> None:
    figures = world.cache.statistics()
    await world.visit("one", "A")
    assert figures.entries == 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        figures.entries = 1  # type: ignore[misc]
