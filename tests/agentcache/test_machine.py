"""Overlapping turns, builds that end, fail or are cancelled, writes, sweeps and closings in any order, against a model.

Each rule does one thing and then lets every task run until it waits, so that a run is the same every time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agentcache import AgentCache, Baseline, Lease, Stamp
from tests.agentcache.model import Model, Turn
from tests.agentcache.world import Agent, everyone_waits
from tests.examples import examples

R = TypeVar("R")

KEYS = st.sampled_from(["key 1", "key 2", "key 3"])
SIGNATURES = st.sampled_from(["sig", "sig", "sig", "edited"])
SESSIONS = st.sampled_from(["A", "B", "C"])
STAMPS = st.builds(Stamp, st.integers(0, 2), st.integers(0, 2))
# Some larger than all that may be held.
SIZES = st.integers(0, 12) | st.integers(15, 25)
MOST_TURNS = 8
PICK = st.integers(0, 11)


class CacheMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = 0.0
        self.texts = 0
        self.turns: list[Turn] = []
        self.closed: list[Agent] = []
        self.breaking: set[Agent] = set()
        self.model = Model(max_entries=2, max_bytes=20, max_agent_bytes=13, max_idle=60.0)
        self.cache: AgentCache[Agent, str] = AgentCache(
            self.close, max_entries=2, max_bytes=20, max_agent_bytes=13, max_idle=60.0, clock=lambda: self.now
        )

    async def close(self, agent: Agent) -> None:
        if agent in self.model.leased:
            self.model.broken.append(f"{agent} closed in a turn")
        self.closed.append(agent)
        if agent in self.breaking:
            raise OSError("closed badly")

    async def run(self, turn: Turn) -> None:
        """A turn's task. The model is told in the same section in which the cache acts."""

        async def build() -> Agent:
            if any(other.build for other in self.turns if other.key == turn.key):
                self.model.broken.append(f"two builds of {turn.key} at once")
            if turn.slow:
                turn.build = self.loop.create_future()
                try:
                    await turn.build
                finally:
                    turn.build = None
            agent = Agent(f"{turn.key} {turn.signature}")
            if turn.close_fails:
                self.breaking.add(agent)
            return agent

        try:
            async with self.cache.use(turn.key, turn.signature, build, session_id=turn.session_id) as lease:
                self.model.began(
                    turn.key, turn.signature, turn.session_id, lease.agent, built=lease.built, now=self.now
                )
                turn.lease = lease
                await turn.end.wait()
        finally:
            self.turns.remove(turn)
            if turn.lease:
                self.model.ended(turn.lease.agent, turn.session_id, self.now)

    def settle(self) -> None:
        self.loop.run_until_complete(everyone_waits())

    def pick(self, number: int, *, leased: bool) -> Turn:
        turns = [turn for turn in self.turns if bool(turn.lease) is leased and (leased or turn.build)]
        return turns[number % len(turns)]

    def pick_lease(self, number: int) -> Lease[Agent, str]:
        lease = self.pick(number, leased=True).lease
        assert lease
        return lease

    def anyone_leased(self) -> bool:
        return any(turn.lease for turn in self.turns)

    def anyone_building(self) -> bool:
        return any(turn.build for turn in self.turns)

    @precondition(lambda self: len(self.turns) < MOST_TURNS)
    @rule(key=KEYS, signature=SIGNATURES, session_id=SESSIONS, slow=st.booleans(), close_fails=st.booleans())
    def begin_turn(self, key: str, signature: str, session_id: str, slow: bool, close_fails: bool) -> None:
        turn = Turn(key, signature, session_id, slow, close_fails)
        self.turns.append(turn)
        turn.task = self.loop.create_task(self.run(turn))
        self.settle()

    @precondition(anyone_building)
    @rule(number=PICK)
    def finish_build(self, number: int) -> None:
        future = self.pick(number, leased=False).build
        assert future
        future.set_result(None)
        self.settle()

    @precondition(anyone_building)
    @rule(number=PICK)
    def fail_build(self, number: int) -> None:
        turn = self.pick(number, leased=False)
        assert turn.build
        turn.build.set_exception(ValueError("no such model"))
        self.settle()
        assert isinstance(turn.task.exception(), ValueError)

    @precondition(lambda self: self.turns)
    @rule(number=PICK)
    def cancel_turn(self, number: int) -> None:
        turn = self.turns[number % len(self.turns)]
        turn.task.cancel()
        self.settle()
        assert turn.task.cancelled()

    @precondition(anyone_leased)
    @rule(number=PICK)
    def end_turn(self, number: int) -> None:
        turn = self.pick(number, leased=True)
        turn.end.set()
        self.settle()
        assert turn.task.exception() is None

    @precondition(anyone_leased)
    @rule(number=PICK, stamp=STAMPS, size=SIZES)
    def keep(self, number: int, stamp: Stamp, size: int) -> None:
        lease = self.pick_lease(number)
        self.texts += 1
        text = f"text {self.texts}"
        kept = self.on_loop(lambda: lease.keep(text, stamp, size))
        assert kept == self.model.loaded(lease.agent, lease.session_id, text, stamp, size)

    @precondition(anyone_leased)
    @rule(number=PICK, other=STAMPS, new=STAMPS, size=SIZES, as_seen=st.booleans())
    def rebaseline(self, number: int, other: Stamp, new: Stamp, size: int, as_seen: bool) -> None:
        lease = self.pick_lease(number)
        text = self.model.text_of(lease.agent, lease.session_id)
        old = text.stamp if text and as_seen else other
        advanced = self.on_loop(lambda: lease.rebaseline(old=old, new=new, size=size))
        assert advanced == self.model.advanced(lease.agent, lease.session_id, old, new, size)

    @rule(seconds=st.sampled_from([1.0, 30.0, 60.0]))
    def sweep(self, seconds: float) -> None:
        self.now += seconds
        self.model.swept(self.now)
        self.loop.run_until_complete(self.cache.sweep())

    def on_loop(self, act: Callable[[], R]) -> R:
        """Call a method of a lease where it may be called."""

        async def call() -> R:
            return act()

        return self.loop.run_until_complete(call())

    @invariant()
    def no_rule_was_broken_meanwhile(self) -> None:
        assert self.model.broken == []

    @invariant()
    def each_agent_that_left_is_closed_once(self) -> None:
        assert len(self.closed) == len(set(self.closed))
        assert set(self.closed) == self.model.to_be_closed

    @invariant()
    def nobody_waits_for_a_build_that_is_not_under_way(self) -> None:
        building = {turn.key for turn in self.turns if turn.build}
        assert building == {turn.key for turn in self.turns if not turn.lease}

    @invariant()
    def the_bounds_hold_except_for_what_is_in_a_turn(self) -> None:
        if len(self.model.places) > 2:
            assert {place.agent for place in self.model.places} <= self.model.leased
        held = {(text.agent, text.session_id) for text in self.model.texts}
        if self.model.bytes > 20:
            assert held <= set(self.model.leases)
        for agent in self.model.built:
            if self.model.bytes_of(agent) > 13:
                assert {place for place in held if place[0] is agent} <= set(self.model.leases)

    @invariant()
    def the_figures_are_the_models(self) -> None:
        figures = self.cache.statistics()
        assert figures.entries == len(self.model.places)
        assert figures.in_turn == len({place.agent for place in self.model.places} & self.model.leased)
        assert figures.leases == len(self.model.leases)
        assert figures.transcripts == len(self.model.texts)
        assert figures.bytes == self.model.bytes
        assert figures.building == len({turn.key for turn in self.turns if turn.build})
        assert figures.closing == 0

    @invariant()
    def a_lease_sees_its_own_session_and_nothing_else(self) -> None:
        for turn in self.turns:
            if turn.lease:
                text = self.model.text_of(turn.lease.agent, turn.session_id)
                seen = Baseline(turn.session_id, text.stamp) if text else None
                assert self.on_loop(turn.lease.baseline) == seen
                assert self.on_loop(turn.lease.held) == (text and text.transcript)

    def end_all_that_can(self) -> None:
        for turn in self.turns:
            turn.end.set()
            if turn.build:
                turn.build.set_result(None)
        self.settle()

    def teardown(self) -> None:
        try:
            self.model.all_closed()
            self.loop.run_until_complete(self.cache.close_all())
            for _ in range(MOST_TURNS):
                self.end_all_that_can()
            assert not self.turns
            assert self.model.broken == []
            assert sorted(map(id, self.closed)) == sorted(map(id, self.model.built))
            assert self.cache.statistics().entries == self.cache.statistics().bytes == 0
        finally:
            self.loop.close()


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(examples(100), stateful_step_count=50)
