"""Turns over one cache: the seed's behaviours (numbered), and the holes that its system has, as far as one process
without a database can show them."""

import asyncio

import pytest

from agentcache import Stamp, judge
from tests.agentcache.world import KEY, SlowBuild, World, builder, ended, everyone_waits


async def test_1_switching_to_another_session_under_the_same_key_reuses_the_agent(world: World) -> None:
    world.store.append("A", "hello from A", "hi A", "another from A")
    world.store.append("B")
    agent, _ = await world.turn("A")
    on_b, verdict = await world.turn("B")
    assert on_b is agent
    assert not verdict.stale
    back, verdict = await world.turn("A")
    assert back is agent
    assert verdict.trusted


async def test_2_consecutive_turns_of_the_same_session_reuse_it_five_of_five(world: World) -> None:
    world.store.append("A")
    agent, _ = await world.turn("A")
    turns = [await world.turn("A") for _ in range(5)]
    assert [(used is agent, verdict.trusted) for used, verdict in turns] == [(True, True)] * 5


async def test_3_another_processes_write_to_the_same_session_makes_it_stale(world: World) -> None:
    world.store.append("A")
    agent, _ = await world.turn("A")
    world.store.append("A", "external from dashboard")
    after, verdict = await world.turn("A")
    assert verdict.stale
    assert verdict.reason == "grew by 1 elsewhere"
    # Another transcript is held, by the same agent.
    assert after is agent
    assert world.cache.statistics().loaded == 2


async def test_4_rebaselining_for_session_b_leaves_what_is_known_of_session_a_untouched(world: World) -> None:
    build = builder("one")
    async with (
        world.cache.use(KEY, "sig", build, session_id="A") as on_a,
        world.cache.use(KEY, "sig", build, session_id="B") as on_b,
    ):
        on_a.keep(["a"], Stamp(1, 1), 1)
        on_b.keep(["b"], Stamp(1, 1), 1)
        before = on_a.baseline()
        assert on_b.rebaseline(old=Stamp(1, 1), new=Stamp(3, 3), size=3)
        assert on_a.baseline() is before
        assert on_a.held() == ["a"]


async def test_5_rebaselining_for_the_same_session_takes_the_live_value(world: World) -> None:
    world.store.append("A", "one", "two")
    await world.turn("A")
    async with world.cache.use(KEY, "sig", builder("one"), session_id="A") as lease:
        baseline = lease.baseline()
        assert baseline
        assert baseline.session_id == "A"
        assert baseline.stamp == world.store.stamp("A") == Stamp(4, 4)


async def test_6_an_entry_with_no_snapshot_is_reused_and_left_alone(world: World) -> None:
    async with world.cache.use(KEY, "sig", builder("one"), session_id="A") as lease:
        agent = lease.agent
    async with world.cache.use(KEY, "sig", builder("two"), session_id="A") as lease:
        assert lease.agent is agent
        assert not judge(lease.baseline(), "A", Stamp(7, 7)).stale
        assert not lease.rebaseline(old=Stamp(7, 7), new=Stamp(9, 9), size=9)
        assert lease.baseline() is None
        assert world.cache.statistics().transcripts == 0


async def test_6_a_build_that_is_still_pending_is_left_alone(world: World) -> None:
    slow = SlowBuild("slow")

    async def turn() -> str:
        async with world.cache.use(KEY, "sig", slow, session_id="A") as lease:
            return lease.agent.name

    building = asyncio.create_task(turn())
    await everyone_waits()
    assert slow.begun
    world.now = 1_000.0
    await world.cache.sweep()
    await world.visit("another key", "X")
    assert world.cache.statistics().building == 1
    slow.go.set()
    assert await ended(building) == "slow"
    assert world.closed == []


async def test_a_change_that_leaves_the_count_as_it_was_is_seen(world: World) -> None:
    world.store.append("A", "one")
    await world.turn("A")
    world.store.edit("A", "other words")
    assert (await world.turn("A"))[1].reason == "rewritten elsewhere"
    world.store.undo("A")
    world.store.append("A", "in its place")
    assert (await world.turn("A"))[1].reason == "rewritten elsewhere"


async def test_a_foreign_write_during_our_turn_is_not_absorbed_by_the_rebaseline(world: World) -> None:
    world.store.append("A")
    await world.turn("A")
    async with world.cache.use(KEY, "sig", builder("one"), session_id="A") as lease:
        seen = lease.baseline()
        world.store.append("A", "foreign")
        old, new = world.store.append("A", "question", "answer")
        assert not lease.rebaseline(old=old, new=new, size=5)
        assert lease.baseline() is seen
    assert (await world.turn("A"))[1].stale


async def test_foreign_writes_to_b_are_seen_although_the_last_turn_was_in_a(world: World) -> None:
    world.store.append("A")
    world.store.append("B")
    await world.turn("B")
    await world.turn("A")
    world.store.append("B", "foreign")
    assert (await world.turn("B"))[1].reason == "grew by 1 elsewhere"
    assert (await world.turn("A"))[1].trusted


async def test_a_session_that_is_gone_is_not_answered_from_memory(world: World) -> None:
    world.store.append("A")
    await world.turn("A")
    del world.store.rows["A"]
    async with world.cache.use(KEY, "sig", builder("one"), session_id="A") as lease:
        assert lease.held()
        assert not judge(lease.baseline(), "A", world.store.stamp("A")).answerable


async def test_two_sessions_of_one_user_run_at_once_on_one_agent_and_never_touch_each_other(world: World) -> None:
    world.store.append("A", "of A")
    world.store.append("B", "of B")
    turns = [asyncio.create_task(world.turn(session_id)) for session_id in "ABABAB"]
    assert len({(await ended(turn))[0] for turn in turns}) == 1
    assert world.cache.statistics().builds == 1
    assert (await world.turn("A"))[1].trusted
    assert (await world.turn("B"))[1].trusted


async def test_a_rebaseline_never_lands_on_another_agents_entry(world: World) -> None:
    async with world.cache.use(KEY, "old", builder("old"), session_id="A") as retired:
        assert retired.keep(["old"], Stamp(1, 1), 10)
        async with world.cache.use(KEY, "new", builder("new"), session_id="A") as lease:
            assert lease.agent is not retired.agent
            assert lease.held() is None
            assert lease.keep(["new"], Stamp(1, 1), 20)
            assert not retired.rebaseline(old=Stamp(1, 1), new=Stamp(3, 3), size=30)
            assert not retired.keep(["old"], Stamp(3, 3), 40)
            assert (retired.held(), retired.baseline()) == (None, None)
            assert lease.held() == ["new"]
            baseline = lease.baseline()
            assert baseline
            assert baseline.stamp == Stamp(1, 1)
            assert world.cache.statistics().bytes == 20


async def test_a_lease_refuses_to_be_used_off_the_loop_that_owns_its_cache(world: World) -> None:
    async with world.cache.use(KEY, "sig", builder("one"), session_id="A") as lease:

        async def elsewhere() -> None:
            with pytest.raises(RuntimeError, match="belongs to the event loop"):
                lease.keep([], Stamp(0, 0), 1)
            with pytest.raises(RuntimeError, match="belongs to the event loop"):
                lease.held()

        await asyncio.to_thread(asyncio.run, elsewhere())
        with pytest.raises(RuntimeError):
            await asyncio.to_thread(lease.keep, [], Stamp(0, 0), 1)
        assert world.cache.statistics().loaded == 0
