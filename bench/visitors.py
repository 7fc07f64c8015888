"""Users who come and go: each visit is a connection, a new chat, a question, its answer, some reading.

The chat is deleted at the end of the visit, so that what grows from visit to visit is a leak. A user comes to the same
host each time, as behind nginx (deploy/nginx.conf).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import cycle
from time import perf_counter

from bench.client import PATIENCE, Client
from bench.crowd import PACED
from bench.timing import Timing
from bench.wire import Refused

FAILED = Timing(PATIENCE, PATIENCE, whole=False)


class Visitors:
    """All users of some hosts; `turns` has one timing for each visit, from the question on."""

    def __init__(self, urls: Sequence[str], tokens: Sequence[str]) -> None:
        self.turns: list[Timing] = []
        self._chance = random.Random(1)
        self._away = deque(zip(cycle(urls), tokens, strict=False))

    async def come(self, rate: float, seconds: float, stay: float) -> None:
        """Have so many begin a visit each second; return when the last has left.

        stay: the seconds that they read, on average. At the end nobody reads on.
        """
        due, over = perf_counter(), asyncio.Event()
        end = due + seconds
        async with asyncio.TaskGroup() as group:
            while (due := due + self._chance.expovariate(rate)) < end:
                await asyncio.sleep(due - perf_counter())
                # Nobody is away only where the host is far behind: then fewer come.
                if self._away:
                    reading = self._chance.expovariate(1 / stay) if stay else 0.0
                    group.create_task(self._visit(*self._away.popleft(), reading, over))
            over.set()

    async def _visit(self, url: str, token: str, reading: float, over: asyncio.Event) -> None:
        try:
            self.turns.append(await self._talk(url, token, reading, over))
        except (OSError, KeyError, Refused, TimeoutError):
            self.turns.append(FAILED)
        self._away.append((url, token))

    async def _talk(self, url: str, token: str, reading: float, over: asyncio.Event) -> Timing:
        async with asyncio.timeout(2 * PATIENCE + reading), Client(url, token) as client:
            session_id = await client.open_new()
            turn = await client.turn(session_id, PACED)
            with suppress(TimeoutError):
                async with asyncio.timeout(reading):
                    await over.wait()
            await client.ask("session.delete", session_id=session_id)
            return turn
