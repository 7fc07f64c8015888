"""The agent cache: keeps each session key's agent alive between turns.

Why it is right without a lock
------------------------------
A cache is owned by one event loop and only ever touched on it. Between two awaits nothing else runs there, so each
such section is atomic, and the rules come down to what may lie between two awaits:

- *Read before.* Whatever needs the database (the live stamp, the transcript) is read by the caller, who then tells
  the cache; nothing here awaits a database.
- *Find and pin in one section.* `_acquire` looks the entry up and counts the lease before it can be suspended, so no
  agent is evicted between being found and being used.
- *One build per key.* The event in `_building` is set up in the section that found nothing to use; who comes later
  waits for it and looks again. Nobody else publishes under the key meanwhile, so a slow build cannot overwrite a
  newer entry. Waiters never share the fate of the builder: its error may be its own (it was cancelled: its user
  pressed stop), so each that still finds nothing builds in its turn. They are the turns that one user has running at
  once, hence few. The old agent stays until its successor is there, a failed build costs nobody anything.
- *Pop in one section, close outside.* An entry leaves the cache whole: it, its transcripts and their bytes. From then
  on no lease can be taken on it, and its agent is closed exactly once: at once where it is in no turn, else when its
  last lease ends. Closing is a task of its own (closing.py).
- *Publish only where still the same.* A lease knows its entry, not its key. When the entry has left the cache, what
  the lease keeps or re-baselines has no effect, whatever now stands under the key.

"Used longest ago" counts from the end of the last turn, for agents and transcripts alike; what is in a turn is not up
for leaving at all. Bounds are exceeded only by what is in a turn, and kept again as soon as that ends.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from typing import Generic

from agentcache.closing import Closer
from agentcache.lease import Lease
from agentcache.statistics import Event, Statistics, Tally
from agentcache.transcript_store import A, Entry, T, TranscriptStore


class AgentCache(Generic[A, T]):
    """Agents (`A`) by session key, each with transcripts (`T`) by session. Lives as long as its event loop.

    At most `max_entries` agents, `max_bytes` of transcripts and `max_agent_bytes` of each agent's; `max_idle` seconds
    of `clock` after its last turn an agent is due at the next `sweep`. `close` ends an agent; it is called once for
    each that was built.
    """

    def __init__(
        self,
        close: Callable[[A], Awaitable[None]],
        *,
        max_entries: int,
        max_bytes: int,
        max_agent_bytes: int,
        max_idle: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._max_idle = max_idle
        self._clock = clock
        self._open = True
        self._tally: Tally = Counter()
        self._closer = Closer(close, self._tally)
        self._transcripts: TranscriptStore[A, T] = TranscriptStore(max_bytes, max_agent_bytes, self._tally)
        self._entries: OrderedDict[str, Entry[A]] = OrderedDict()
        self._building: dict[str, asyncio.Event] = {}
        self._leases = 0

    @asynccontextmanager
    async def use(
        self, key: str, signature: str, build: Callable[[], Awaitable[A]], *, session_id: str
    ) -> AsyncIterator[Lease[A, T]]:
        """Lease the agent of `key` for a turn of `session_id`; several leases on one agent at once are normal.

        An agent of another signature is not used: `build` makes a new one, which takes its place. Raises what
        `build` raises, to its own caller only.
        """
        entry, built = await self._acquire(key, signature, build, session_id)
        try:
            yield Lease(session_id, built, entry, self._transcripts, self._tally)
        finally:
            self._release(entry, session_id)

    @contextmanager
    def use_present(self, key: str, signature: str, *, session_id: str) -> Iterator[Lease[A, T] | None]:
        """Lease the agent of `key` where it is there; None, and nothing is built, where it is not."""
        entry = self._entries.get(key)
        if entry is None or entry.signature != signature:
            yield None
            return
        self._tally["hits"] += 1
        self._pin(entry, session_id)
        try:
            yield Lease(session_id, False, entry, self._transcripts, self._tally)
        finally:
            self._release(entry, session_id)

    async def sweep(self) -> None:
        """Let the agents go that have been idle for too long, and wait until all that have left are closed."""
        due = self._clock() - self._max_idle
        for entry in [e for e in self._entries.values() if not e.turns and e.used <= due]:
            self._retire(entry, "expired")
        await self._closer.wait()

    def idle_sessions(self) -> list[str]:
        """Return the sessions whose transcripts are held and that are in no turn."""
        return self._transcripts.idle()

    def forget(self, session_ids: Collection[str]) -> None:
        """Let go of the transcripts of sessions that are no more, but for those in a turn."""
        self._transcripts.forget(session_ids)

    async def close_all(self) -> None:
        """Let all agents go, for good, and wait for those that are in no turn to be closed.

        Turns under way go on, and new ones are served, each agent being closed with its last lease: nothing is kept
        any more. So call it when the turns have ended, and nothing leaks even where one has not.
        """
        self._open = False
        for entry in list(self._entries.values()):
            self._retire(entry)
        await self._closer.wait()

    def statistics(self) -> Statistics:
        """Return the present figures."""
        return Statistics(
            entries=len(self._entries),
            in_turn=sum(1 for entry in self._entries.values() if entry.turns),
            leases=self._leases,
            transcripts=len(self._transcripts),
            bytes=self._transcripts.bytes,
            building=len(self._building),
            closing=len(self._closer),
            **{str(event): times for event, times in self._tally.items()},
        )

    async def _acquire(
        self, key: str, signature: str, build: Callable[[], Awaitable[A]], session_id: str
    ) -> tuple[Entry[A], bool]:
        """Return the key's entry, pinned, and whether it was built now."""
        while (entry := self._entries.get(key)) is None or entry.signature != signature:
            pending = self._building.get(key)
            if pending is None:
                return await self._build(key, signature, build, session_id), True
            await pending.wait()
        self._tally["hits"] += 1
        self._pin(entry, session_id)
        return entry, False

    async def _build(self, key: str, signature: str, build: Callable[[], Awaitable[A]], session_id: str) -> Entry[A]:
        done = self._building[key] = asyncio.Event()
        try:
            entry = Entry(key, signature, await build(), self._clock())
        except BaseException:
            self._tally["failures"] += 1
            raise
        finally:
            del self._building[key]
            done.set()
        # Still the same section as the end of the build: whoever waits looks only after this.
        self._tally["builds"] += 1
        self._pin(entry, session_id)
        if self._open:
            self._publish(entry)
        return entry

    def _publish(self, entry: Entry[A]) -> None:
        old = self._entries.get(entry.key)
        if old is not None:
            self._retire(old, "replaced")
        self._entries[entry.key] = entry
        entry.cached = True
        self._bound()

    def _pin(self, entry: Entry[A], session_id: str) -> None:
        entry.turns[session_id] += 1
        self._leases += 1

    def _release(self, entry: Entry[A], session_id: str) -> None:
        self._leases -= 1
        entry.turns[session_id] -= 1
        entry.turns += Counter()  # leaves the positive counts only
        entry.used = self._clock()
        if entry.cached:
            self._entries.move_to_end(entry.key)
            self._transcripts.touch(entry, session_id)
            self._bound()
            self._transcripts.trim(entry)
        elif not entry.turns:
            self._closer.start(entry.agent)

    def _bound(self) -> None:
        """Retire agents that are in no turn, used longest ago first, down to the bound."""
        surplus = len(self._entries) - self._max_entries
        if surplus <= 0:
            return
        idle = (entry for entry in self._entries.values() if not entry.turns)
        for entry in list(islice(idle, surplus)):
            self._retire(entry, "evicted")

    def _retire(self, entry: Entry[A], why: Event | None = None) -> None:
        """Take an entry out of the cache; its agent is closed when it is in no turn any more."""
        del self._entries[entry.key]
        entry.cached = False
        self._transcripts.clear(entry)
        if why:
            self._tally[why] += 1
        if not entry.turns:
            self._closer.start(entry.agent)
