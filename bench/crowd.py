"""Many users, each connected with a session open, who speak when it is their turn, however far behind the host is.

Arrivals are those of a Poisson process: what one user does, the others know nothing of. A turn is timed from the
moment it was due. So a host that falls behind shows it, where users who wait for the last answer before they ask the
next question would hide it.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter

from bench.client import Client, Hearing
from bench.floor import Floor
from bench.provider import Shape
from bench.services import machine_seconds
from bench.timing import Timing, median, percentile

# Milliseconds of added time to the first text, at p99.
LIMIT = 100.0
# A provider's pace: an answer of 50 words in a second.
PACED = Shape(chunks=50, pause=20)
# One call of the floor for so many turns.
FLOOR_EVERY = 10
_AT_ONCE = 16


@dataclass(slots=True)
class Seat:
    """A user's connection with an open session; `second` is another tab of theirs."""

    token: str
    client: Client
    session_id: str
    second: Client | None = None
    busy: bool = False


@dataclass(slots=True)
class Step:
    """A rate held for a while: turns from when they were due, the floor's calls among them, what the cores did."""

    rate: float
    turns: list[Timing] = field(default_factory=list)
    seconds: list[Timing] = field(default_factory=list)
    floor: list[Timing] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)
    took: float = 0.0
    machine: float = 0.0

    @property
    def added(self) -> list[float]:
        """Milliseconds to the first text, over the floor's median."""
        least = median([one.first for one in self.floor])
        return [(one.first - least) * 1000 for one in self.turns]

    @property
    def holds(self) -> bool:
        """Whether the host kept up."""
        return not self.failures and percentile(self.added, 99) <= LIMIT

    @property
    def others(self) -> float:
        """The share of one core that programs used which are no part of this."""
        return (self.machine - sum(self.spent.values())) / self.took

    @property
    def failures(self) -> int:
        """Answers that did not come whole."""
        return sum(not one.whole for one in (*self.turns, *self.seconds, *self.floor))


class Crowd:
    """The users of one or more hosts. `clocks` tell the CPU seconds that each part has used so far."""

    def __init__(self, floor: Floor, clocks: dict[str, Callable[[], float]]) -> None:
        self.seats: list[Seat] = []
        self._floor = floor
        self._clocks = clocks
        self._stack = AsyncExitStack()
        self._chance = random.Random(1)

    async def __aenter__(self) -> Crowd:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def connect(self, urls: Sequence[str], tokens: Iterable[str]) -> None:
        """Connect each user to one of the hosts, by turns, and open a new session."""

        async def sit(url: str, token: str) -> None:
            client = await self._stack.enter_async_context(Client(url, token))
            self.seats.append(Seat(token, client, await client.open_new()))

        await _few_at_once(sit(url, token) for url, token in zip(cycle(urls), tokens, strict=False))
        gc.freeze()

    async def second_tabs(self, urls: Sequence[str]) -> None:
        """Open each user's session once more, in the other of two hosts."""

        async def sit(seat: Seat) -> None:
            other = next(url for url in urls if url != seat.client.url)
            seat.second = await self._stack.enter_async_context(Client(other, seat.token))
            await seat.second.ask("session.open", session_id=seat.session_id)

        await _few_at_once(map(sit, self.seats))
        gc.freeze()

    async def everybody(self, shape: Shape) -> None:
        """One turn of every user, some at a time."""
        await _few_at_once(seat.client.turn(seat.session_id, shape) for seat in self.seats)

    async def hold(self, rate: float, seconds: float, shape: Shape) -> Step:
        """`rate` turns a second for `seconds`, and all that comes of them."""
        [body] = await self._floor.bodies(1)
        step = Step(rate)
        with self._watched(step):
            await self._arrivals(step, seconds, shape, body)
        return step

    async def rest(self, seconds: float) -> Step:
        """Nobody says anything."""
        step = Step(0)
        with self._watched(step):
            await asyncio.sleep(seconds)
        return step

    @contextmanager
    def _watched(self, step: Step) -> Iterator[None]:
        began, machine = perf_counter(), machine_seconds()
        before = {name: clock() for name, clock in self._clocks.items()}
        yield
        step.took, step.machine = perf_counter() - began, machine_seconds() - machine
        step.spent = {name: clock() - before[name] for name, clock in self._clocks.items()}

    async def _arrivals(self, step: Step, seconds: float, shape: Shape, body: str) -> None:
        seats = cycle(self._chance.sample(self.seats, len(self.seats)))
        due = perf_counter()
        end, number = due + seconds, 0
        async with asyncio.TaskGroup() as group:
            while (due := due + self._chance.expovariate(step.rate)) < end:
                await asyncio.sleep(due - perf_counter())
                group.create_task(self._speak(step, next(seat for seat in seats if not seat.busy), shape, due))
                number += 1
                if number % FLOOR_EVERY == 1:
                    group.create_task(self._least(step, body))

    async def _speak(self, step: Step, seat: Seat, shape: Shape, due: float) -> None:
        seat.busy = True
        second: Hearing | None = seat.second.hear(shape) if seat.second else None
        step.turns.append(await seat.client.turn(seat.session_id, shape, due))
        if second is not None:
            step.seconds.append(await second.timing(due))
        seat.busy = False

    async def _least(self, step: Step, body: str) -> None:
        step.floor.append(await self._floor.call(body))


async def _few_at_once(work: Iterable[Awaitable[object]]) -> None:
    waiting = iter(work)

    async def some() -> None:
        for one in waiting:
            await one

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
