"""Building, replacing and closing agents."""

import asyncio
import contextlib

import pytest

from agentcache import Stamp, closing
from tests.agentcache.world import KEY, Agent, SlowBuild, World, builder, done, ended, everyone_waits


async def name_after_turn(world: World, build: SlowBuild, signature: str = "sig") -> str:
    async with world.cache.use(KEY, signature, build, session_id="A") as lease:
        return lease.agent.name


async def test_a_lease_tells_whether_its_agent_was_built_for_it(world: World) -> None:
    async with world.cache.use(KEY, "sig", builder("one"), session_id="A") as lease:
        assert lease.built
    async with world.cache.use(KEY, "sig", builder("two"), session_id="A") as lease:
        assert not lease.built
        assert lease.agent.name == "one"


async def test_keys_do_not_share_agents_or_transcripts(world: World) -> None:
    await world.visit("key 1", "A")
    async with world.cache.use("key 2", "sig", builder("two"), session_id="A") as lease:
        assert lease.agent.name == "two"
        assert lease.held() is None


async def test_one_build_per_key_and_the_others_wait_for_it(world: World) -> None:
    first, second = SlowBuild("first"), SlowBuild("second")
    turns = [asyncio.create_task(name_after_turn(world, build)) for build in (first, second)]
    await everyone_waits()
    assert first.begun
    assert not second.begun
    first.go.set()
    assert [await ended(turn) for turn in turns] == ["first", "first"]


async def test_a_build_under_one_key_holds_up_no_other_key(world: World) -> None:
    slow = SlowBuild("slow")
    turn = asyncio.create_task(name_after_turn(world, slow))
    await everyone_waits()
    assert slow.begun
    await world.visit("another key", "A")
    slow.go.set()
    await ended(turn)


async def test_a_slow_build_does_not_publish_over_a_newer_entry(world: World) -> None:
    slow, newer = SlowBuild("slow"), done("newer")
    turns = [
        asyncio.create_task(name_after_turn(world, build, signature))
        for build, signature in ((slow, "old"), (newer, "new"))
    ]
    await everyone_waits()
    slow.go.set()
    assert [await ended(turn) for turn in turns] == ["slow", "newer"]
    async with world.cache.use(KEY, "new", builder("third"), session_id="A") as lease:
        assert lease.agent.name == "newer"
    assert await world.closings() == ["slow"]


async def test_a_failing_build_fails_its_own_caller_and_the_waiters_build_themselves(world: World) -> None:
    failing, second, third = SlowBuild("failing"), SlowBuild("second"), SlowBuild("third")
    failing.error = ValueError("no such model")
    turns = [asyncio.create_task(name_after_turn(world, build)) for build in (failing, second, third)]
    await everyone_waits()
    failing.go.set()
    with pytest.raises(ValueError, match="no such model"):
        await ended(turns[0])
    await everyone_waits()
    assert second.begun
    assert not third.begun
    second.go.set()
    assert [await ended(turn) for turn in turns[1:]] == ["second", "second"]
    assert world.cache.statistics().failures == 1


async def test_a_cancelled_builder_does_not_cancel_those_who_wait(world: World) -> None:
    cancelled, second = SlowBuild("cancelled"), done("second")
    turns = [asyncio.create_task(name_after_turn(world, build)) for build in (cancelled, second)]
    await everyone_waits()
    turns[0].cancel()
    assert await ended(turns[1]) == "second"
    assert turns[0].cancelled()


async def test_a_cancelled_waiter_disturbs_neither_the_builder_nor_the_other_waiters(world: World) -> None:
    slow, *others = (SlowBuild(name) for name in ("slow", "second", "third"))
    turns = [asyncio.create_task(name_after_turn(world, build)) for build in (slow, *others)]
    await everyone_waits()
    turns[1].cancel()
    await everyone_waits()
    slow.go.set()
    assert [await ended(turns[0]), await ended(turns[2])] == ["slow", "slow"]
    assert world.cache.statistics().leases == 0


async def test_a_failed_build_of_a_new_signature_leaves_the_old_agent_alone(world: World) -> None:
    await world.visit(KEY, "A")
    failing = done("failing")
    failing.error = ValueError("no such model")
    with pytest.raises(ValueError, match="no such model"):
        await name_after_turn(world, failing, "new")
    assert await world.is_held(KEY, "A")
    assert await world.closings() == []


async def test_the_old_agent_serves_its_signature_until_the_new_one_is_built(world: World) -> None:
    await world.visit(KEY, "A")
    slow = SlowBuild("new")
    turn = asyncio.create_task(name_after_turn(world, slow, "new"))
    await everyone_waits()
    assert slow.begun
    assert await ended(asyncio.create_task(world.is_held(KEY, "A")))
    slow.go.set()
    assert await ended(turn) == "new"
    assert await world.closings() == [KEY]


async def test_a_replaced_agent_is_closed_when_its_last_lease_ends_and_only_then(world: World) -> None:
    async with contextlib.AsyncExitStack() as last:
        async with world.cache.use(KEY, "old", builder("old"), session_id="A"):
            await last.enter_async_context(world.cache.use(KEY, "old", builder("none"), session_id="A"))
            async with world.cache.use(KEY, "new", builder("new"), session_id="B") as lease:
                assert lease.built
        assert await world.closings() == []
    assert await world.closings() == ["old"]


async def test_a_turn_that_fails_or_is_cancelled_gives_its_lease_back(world: World) -> None:
    slow = SlowBuild("forever")

    async def turn(signature: str) -> None:
        async with world.cache.use(KEY, signature, builder(signature), session_id="A"):
            await slow()

    running = asyncio.create_task(turn("old"))
    await everyone_waits()
    assert slow.begun
    await world.visit(KEY, "A")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ended(running)
    assert await world.closings() == ["old"]
    assert world.cache.statistics().leases == 0


async def test_a_slow_close_holds_up_no_turn(world: World) -> None:
    begun: list[Agent] = []
    go = asyncio.Event()

    async def slowly(agent: Agent) -> None:
        begun.append(agent)
        await go.wait()

    world.how_to_close = slowly
    await world.visit(KEY, "A")
    await name_after_turn(world, done("new"), "new")
    await everyone_waits()
    assert begun
    await world.visit("another key", "A")
    await name_after_turn(world, done("newer"), "newer")
    assert world.cache.statistics().closing == 2
    go.set()
    assert sorted(await world.closings()) == [KEY, "new"]
    assert world.cache.statistics().closing == 0


async def test_a_cancelled_turn_does_not_take_the_close_of_its_agent_along(world: World) -> None:
    begun: list[Agent] = []
    go = asyncio.Event()

    async def slowly(agent: Agent) -> None:
        begun.append(agent)
        await go.wait()

    async def turn() -> None:
        async with world.cache.use(KEY, "old", builder("old"), session_id="A"):
            await name_after_turn(world, done("new"), "new")
        await asyncio.Event().wait()

    world.how_to_close = slowly
    running = asyncio.create_task(turn())
    await everyone_waits()
    assert begun
    running.cancel()
    await everyone_waits()
    go.set()
    assert await world.closings() == ["old"]


async def test_a_close_that_hangs_is_cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off = asyncio.Event()

    async def hang(agent: Agent) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut_off.set()

    monkeypatch.setattr(closing, "CLOSE_SECONDS", 0.0)
    world.how_to_close = hang
    await world.visit(KEY, "A")
    await ended(asyncio.create_task(world.cache.close_all()))
    assert cut_off.is_set()
    assert world.cache.statistics().close_errors == 1


async def test_a_close_that_fails_is_logged_and_reaches_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(agent: Agent) -> None:
        if agent.name == "key 1":
            raise OSError("the connection was gone already")

    world.how_to_close = fail
    await world.visit("key 1", "A")
    await world.visit("key 2", "A")
    await world.cache.close_all()
    assert [agent.name for agent in world.closed] == ["key 2"]
    assert [record.getMessage() for record in caplog.records] == ["An agent could not be closed"]
    assert world.cache.statistics().close_errors == 1


async def test_close_all_closes_what_is_in_no_turn_and_leaves_a_turn_its_agent(world: World) -> None:
    await world.visit("idle", "A")
    async with world.cache.use("busy", "sig", builder("busy"), session_id="A") as lease:
        await world.cache.close_all()
        assert [agent.name for agent in world.closed] == ["idle"]
        assert not lease.keep([], Stamp(0, 0), 1)
    assert await world.closings() == ["idle", "busy"]


async def test_nothing_is_kept_after_close_all_not_even_what_was_being_built(world: World) -> None:
    slow = SlowBuild("slow")
    turn = asyncio.create_task(name_after_turn(world, slow))
    await everyone_waits()
    assert slow.begun
    await world.cache.close_all()
    slow.go.set()
    assert await ended(turn) == "slow"
    await world.visit(KEY, "A")
    assert await world.closings() == ["slow", KEY]
    assert world.cache.statistics().entries == 0


async def test_an_agent_that_is_there_is_leased_and_none_is_built(world: World) -> None:
    with world.cache.use_present(KEY, "sig", session_id="A") as lease:
        assert lease is None
    await world.visit(KEY, "A")
    builds = world.cache.statistics().builds
    with world.cache.use_present(KEY, "another", session_id="A") as lease:
        assert lease is None
    with world.cache.use_present(KEY, "sig", session_id="A") as lease:
        assert lease is not None
        assert lease.held() is not None
        assert world.cache.statistics().in_turn == 1
    assert (world.cache.statistics().in_turn, world.cache.statistics().builds) == (0, builds)
