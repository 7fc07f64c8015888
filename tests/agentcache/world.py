"""What stands around an agent cache in its tests: agents, a clock that is set by hand, and stored transcripts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agentcache import AgentCache, Missing, Stamp, Verdict, judge

R = TypeVar("R")

KEY = "agent:main:web:dm:1"


class Agent:
    """Known by its name only."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Agent({self.name!r})"


class Store:
    """Rows of sessions with the stamp that the real database keeps of them: a revision for every change of a row."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {}
        self._revisions: dict[str, int] = {}

    def stamp(self, session_id: str) -> Stamp | Missing:
        if session_id not in self.rows:
            return Missing.GONE
        return self._stamp(session_id)

    def append(self, session_id: str, *texts: str) -> tuple[Stamp, Stamp]:
        """Add rows; returns the stamps just before and just after."""
        rows = self.rows.setdefault(session_id, [])
        old = self._stamp(session_id)
        rows.extend(texts)
        self._changed(session_id, len(texts))
        return old, self._stamp(session_id)

    def edit(self, session_id: str, text: str) -> None:
        self.rows[session_id][-1] = text
        self._changed(session_id, 1)

    def undo(self, session_id: str) -> None:
        del self.rows[session_id][-1]
        self._changed(session_id, 1)

    def _stamp(self, session_id: str) -> Stamp:
        return Stamp(len(self.rows[session_id]), self._revisions.get(session_id, 0))

    def _changed(self, session_id: str, times: int) -> None:
        self._revisions[session_id] = self._revisions.get(session_id, 0) + times


async def easily(agent: Agent) -> None:
    """How agents close, unless a test says otherwise."""


class World:
    """A cache over a store. `closed` lists the agents closed so far; `now` is the time in seconds.

    `how_to_close` may be set to something that fails or hangs.
    """

    def __init__(
        self,
        *,
        max_entries: int = 100,
        max_bytes: int = 10_000,
        max_agent_bytes: int = 10_000,
        max_idle: float = 60.0,
    ) -> None:
        self.now = 0.0
        self.closed: list[Agent] = []
        self.how_to_close: Callable[[Agent], Awaitable[None]] = easily
        self.store = Store()
        self.cache: AgentCache[Agent, list[str]] = AgentCache(
            self._close,
            max_entries=max_entries,
            max_bytes=max_bytes,
            max_agent_bytes=max_agent_bytes,
            max_idle=max_idle,
            clock=lambda: self.now,
        )

    async def closings(self) -> list[str]:
        """Wait until what has left the cache is closed, then return the names of all that were."""
        await self.cache.sweep()
        return [agent.name for agent in self.closed]

    async def turn(self, session_id: str, key: str = KEY) -> tuple[Agent, Verdict]:
        """One whole turn as production does it: stamp, guard, transcript, two rows of our own, re-baseline."""
        async with self.cache.use(key, "sig", builder(key), session_id=session_id) as lease:
            live = self.store.stamp(session_id)
            verdict = judge(lease.baseline(), session_id, live)
            if not verdict.trusted:
                assert isinstance(live, Stamp)
                lease.keep(list(self.store.rows[session_id]), live, live.message_count)
            transcript = lease.held()
            assert transcript == self.store.rows[session_id]
            old, new = self.store.append(session_id, "question", "answer")
            transcript.extend(("question", "answer"))
            assert lease.rebaseline(old=old, new=new, size=new.message_count)
            return lease.agent, verdict

    async def visit(self, key: str, *sessions: str, size: int = 1) -> None:
        """Turns that keep a transcript of `size` bytes each, and store nothing."""
        for session_id in sessions:
            async with self.cache.use(key, "sig", builder(key), session_id=session_id) as lease:
                lease.keep([], Stamp(0, 0), size)

    async def is_held(self, key: str, session_id: str) -> bool:
        """Whether the transcript is in memory. Counts as a use of the agent, as any look by a turn."""
        async with self.cache.use(key, "sig", builder(key), session_id=session_id) as lease:
            return lease.held() is not None

    async def _close(self, agent: Agent) -> None:
        await self.how_to_close(agent)
        self.closed.append(agent)


def builder(name: str) -> Callable[[], Awaitable[Agent]]:
    """A build that is done at once."""

    async def build() -> Agent:
        return Agent(name)

    return build


def done(name: str) -> SlowBuild:
    """A slow build that was told to go on before it began."""
    build = SlowBuild(name)
    build.go.set()
    return build


class SlowBuild:
    """A build that has `begun` and goes on when told to: by `go` (and `error`, when set first)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.begun = False
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> Agent:
        assert not self.begun, "a build was run twice"
        self.begun = True
        await self.go.wait()
        if self.error:
            raise self.error
        return Agent(self.name)


async def everyone_waits() -> None:
    """Let all other tasks run until each of them waits for something. Nothing here takes more rounds than this."""
    for _ in range(20):
        await asyncio.sleep(0)


async def ended(task: asyncio.Task[R]) -> R:
    """Return what a task returned that has nothing left to wait for: a lost wake-up fails, and never hangs."""
    await everyone_waits()
    assert task.done()
    return task.result()
