"""What is done to the site: at random, from the seed, and written down."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.chaos import clock
from tests.chaos.clock import passes
from tests.chaos.cluster import Cluster, Node

Way = Callable[[random.Random], Awaitable[None]]


@dataclass(slots=True)
class Faults:
    """Hurts a cluster until it is over; `deeds` are (time, what, to whom)."""

    cluster: Cluster
    seed: str
    lease: float
    deeds: list[tuple[str, str, str]] = field(default_factory=list)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _locks: dict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    @property
    def counts(self) -> Counter[str]:
        return Counter(what for _, what, _ in self.deeds)

    async def live(self, over: asyncio.Event) -> None:
        """When it is over, everything runs again."""
        self._over = over
        deaths = [self._kill, self._kill, self._kill, self._restart, self._roll]
        sleeps = [self._pause, self._pause, self._blink]
        services = [self._restart_redis, self._drop_subscribers, self._drop_backends]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._deal("deaths", deaths, (0.5, 3), over))
            group.create_task(self._deal("sleeps", sleeps, (1, 4), over))
            group.create_task(self._deal("services", services, (1, 4), over))

    async def _deal(self, name: str, ways: Sequence[Way], gap: tuple[float, float], over: asyncio.Event) -> None:
        """One after the other, as from a shuffled pack of cards."""
        chance = random.Random(f"{self.seed}/{name}")
        pack: list[Way] = []
        while not await passes(over, chance.uniform(*gap)):
            if not pack:
                pack = chance.sample(list(ways), len(ways))
            await pack.pop()(chance)

    def _did(self, what: str, whom: object = "") -> None:
        self.deeds.append((clock.now(), what, str(whom)))

    @asynccontextmanager
    async def _node(self, number: int) -> AsyncIterator[Node]:
        """A process to which nothing else is done meanwhile."""
        async with self._locks[number]:
            yield self.cluster.nodes[number]

    def _any(self, chance: random.Random) -> int:
        return chance.randrange(len(self.cluster.nodes))

    async def _kill(self, chance: random.Random) -> None:
        number = self._any(chance)
        async with self._node(number) as node:
            self._did("SIGKILL", number)
            await asyncio.to_thread(node.kill)
            await asyncio.to_thread(node.start)
            self._did("started", number)

    async def _restart(self, chance: random.Random) -> None:
        await self._replace(self._any(chance))

    async def _roll(self, chance: random.Random) -> None:
        self._did("rolling restart")
        for number in range(len(self.cluster.nodes)):
            if not self._over.is_set():
                await self._replace(number)

    async def _replace(self, number: int) -> None:
        async with self._node(number) as node:
            self._did("SIGTERM", number)
            await asyncio.to_thread(node.stop)
            self._did("ended", number)
            await asyncio.to_thread(node.start)
            self._did("started", number)

    async def _pause(self, chance: random.Random) -> None:
        await self._stop_for("SIGSTOP beyond the lease", chance, self.lease * chance.uniform(1.2, 1.8))

    async def _blink(self, chance: random.Random) -> None:
        await self._stop_for("SIGSTOP within the lease", chance, self.lease * chance.uniform(0.1, 0.6))

    async def _stop_for(self, what: str, chance: random.Random, seconds: float) -> None:
        number = self._any(chance)
        async with self._node(number) as node:
            self._did(what, number)
            node.pause()
            try:
                await asyncio.sleep(seconds)
            finally:
                node.go_on()
                self._did("SIGCONT", number)

    async def _restart_redis(self, chance: random.Random) -> None:
        self._did("Redis restarted")
        await asyncio.to_thread(self.cluster.redis.restart)

    async def _drop_subscribers(self, chance: random.Random) -> None:
        self._did("pub/sub connections dropped", await asyncio.to_thread(self.cluster.redis.drop_subscribers))

    async def _drop_backends(self, chance: random.Random) -> None:
        share = chance.choice((0.2, 0.5, 1.0))
        self._did("PostgreSQL backends terminated", await asyncio.to_thread(self.cluster.drop_backends, share))
