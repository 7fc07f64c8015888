"""The seven behaviours of the seed, by name, through what production calls: the runner, over a real database.

Pure values and caches without a database are in tests/agentcache; here a session is a session, and another process's
write is a row that it stored. *Stale* is a verdict that grew or was rewritten elsewhere; *reused* is the agent.
"""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import pytest

from agentcache import Baseline, Stamp, judge, rebaseline
from sessions_app import database
from tests.guard.by_hand import turn_by_hand
from tests.guard.oracle import stored
from tests.guard.slow import slow_builds
from tests.guard.writes import Elsewhere, say
from tests.turns.fixtures import NewSession
from tests.turns.host import Host, guard_of, stored_turn, within

KEPT = ("reused", "kept", "same stamp")


class SlowBuild:
    """A build of an agent that has `begun`, and goes on when told to by `go`."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.times = 0

    async def wait(self) -> None:
        self.times += 1
        self.begun.set()
        await self.go.wait()


@pytest.fixture
def slow_host(host: Host, monkeypatch: pytest.MonkeyPatch) -> tuple[Host, SlowBuild]:
    """A process whose agents take their time to be built."""
    slow = SlowBuild()
    slow_builds(monkeypatch, slow.wait)
    return host, slow


async def external(session_id: UUID) -> None:
    """Another process appends to the session in the shared database."""

    await database.write(lambda: say(Elsewhere(session_id, random.Random(1))))


async def live(session_id: UUID) -> Stamp:
    return (await database.read(stored, session_id)).stamp


async def baseline_of(host: Host, session_id: UUID) -> Baseline | None:
    """What the process's cache has seen of a session."""
    async with host.runner.pool.lease(host.user_id, session_id) as lease:
        return lease.baseline()


async def test_1_switching_to_another_session_under_the_same_key_reuses_the_agent(
    host: Host, session: NewSession
) -> None:
    a, b = await session(), await session()
    for _ in range(3):
        await host.turn(a)
    first = await host.turn(b)
    assert guard_of(first) == ("reused", "read", "first turn here")
    assert guard_of(await host.turn(a)) == KEPT
    assert guard_of(await host.turn(b)) == KEPT
    assert host.runner.pool.statistics().builds == 1


async def test_2_consecutive_turns_of_the_same_session_reuse_it_five_of_five(host: Host, session: NewSession) -> None:
    a = await session()
    await host.turn(a)
    assert [guard_of(await host.turn(a)) for _ in range(5)] == [KEPT] * 5


async def test_3_another_processes_write_to_the_same_session_makes_it_stale(host: Host, session: NewSession) -> None:
    a = await session()
    await host.turn(a)
    assert guard_of(await host.turn(a)) == KEPT
    await external(a)
    assert guard_of(await host.turn(a)) == ("reused", "read", "grew by 1 elsewhere")
    assert guard_of(await host.turn(a)) == KEPT


async def test_4_rebaselining_for_session_b_leaves_what_is_known_of_session_a_untouched(
    quiet_host: Host, session: NewSession
) -> None:
    a, b = await session(), await session()
    await quiet_host.turn(a)
    before = await baseline_of(quiet_host, a)
    async with turn_by_hand(quiet_host, b) as turn:
        await turn.memory.obtain()
        assert await turn.rebaseline(await turn.end()) == Baseline(str(b), await live(b))
    assert await baseline_of(quiet_host, a) == before == Baseline(str(a), await live(a))
    assert guard_of(await quiet_host.turn(a)) == KEPT


async def test_5_rebaselining_for_the_same_session_takes_the_live_value(quiet_host: Host, session: NewSession) -> None:
    a = await session()
    for count in (2, 4):
        async with turn_by_hand(quiet_host, a) as turn:
            await turn.memory.obtain()
            ended = await turn.end()
            behind = turn.lease.baseline()
            assert behind is not None
            assert behind.stamp.message_count == count - 1
            assert await turn.rebaseline(ended) == Baseline(str(a), await live(a))
        assert (await live(a)).message_count == count
    assert guard_of(await quiet_host.turn(a)) == KEPT


async def test_6_an_entry_with_no_snapshot_is_reused_and_left_alone(host: Host, session: NewSession) -> None:
    a, b = await session(), await session()
    await host.turn(a)
    assert await baseline_of(host, b) is None
    assert not judge(None, str(b), await live(b)).stale
    assert guard_of(await host.turn(b))[0] == "reused"


async def test_6_the_rebaseline_leaves_an_entry_with_no_snapshot_alone(quiet_host: Host, session: NewSession) -> None:
    a = await session()
    async with turn_by_hand(quiet_host, a) as turn:
        # It was stopped before it had read the transcript.
        assert await turn.rebaseline(await turn.end()) is None
    assert guard_of(await quiet_host.turn(a)) == ("reused", "read", "first turn here")


async def test_6_a_build_that_is_still_pending_is_left_alone(
    slow_host: tuple[Host, SlowBuild], session: NewSession
) -> None:
    host, build = slow_host
    a, b = await session(), await session()
    asked = [await host.ask(a), await host.ask(b)]
    await within(build.begun.wait())
    await host.runner.pool.sweep()
    figures = host.runner.pool.statistics()
    assert (figures.building, figures.entries, figures.closing) == (1, 0, 0)
    build.go.set()
    for each in asked:
        await host.listener.end_of(each.run_id)
    guards = [guard_of(await stored_turn(each.run_id)) for each in asked]
    assert sorted(guards) == [("built", "read", "first turn here"), ("reused", "read", "first turn here")]
    assert build.times == 1
    assert [guard_of(await host.turn(each)) for each in (a, b)] == [KEPT, KEPT]


async def test_7_a_snapshot_that_names_no_session_is_still_compared_and_can_be_rebaselined(
    host: Host, session: NewSession
) -> None:
    a = await session()
    await host.turn(a)
    old = await live(a)
    nameless = Baseline(None, old)
    assert not judge(nameless, str(a), old).stale
    await external(a)
    new = await live(a)
    assert judge(nameless, str(a), new).stale
    assert rebaseline(nameless, str(a), old=old, new=new) == Baseline(str(a), new)
