"""One turn at a time, and many at once: the host and the floor by turns."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from bench.client import Client
from bench.floor import Floor
from bench.report import Figure, Section
from bench.site import Seed, Site, sync_time
from bench.timing import Timing, median, over, percentile

WARM_UP = 20


class Measured(Protocol):
    """A running server."""

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it has used."""


@dataclass(slots=True)
class Series:
    """Turns of the host, each with the floor's call that followed it, and the CPU seconds the host used for it."""

    host: list[Timing] = field(default_factory=list)
    floor: list[Timing] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def first_over(self) -> list[float]:
        """Milliseconds to the first text, over the floor."""
        return over([one.first for one in self.host], [one.first for one in self.floor])

    @property
    def end_over(self) -> list[float]:
        """Milliseconds to the end, over the floor."""
        return over([one.end for one in self.host], [one.end for one in self.floor])

    @property
    def cpu_each(self) -> float:
        """Mean milliseconds of CPU for a turn (what the host does after a turn's end is the next one's)."""
        return sum(self.cpu) / len(self.cpu) * 1000

    @property
    def failures(self) -> int:
        """Answers, of both, that did not come whole."""
        return sum(not one.whole for one in (*self.host, *self.floor))

    async def add(self, site: Measured, floor: Floor, turn: Coroutine[Any, Any, Timing]) -> None:
        """One turn, then one call of the floor."""
        before = site.cpu
        self.host.append(await turn)
        self.floor.append(await floor.repeat())
        self.cpu.append(site.cpu - before)


async def one_at_a_time(site: Site, floor: Floor, seed: Seed, count: int, disk: Path) -> Section:
    """The same session each turn, and a fresh one each turn. The database is on `disk`."""
    same, fresh = Series(), Series()
    async with Client(site.url, seed.tokens[0]) as client:
        session_id = await client.open_new()
        for _ in range(WARM_UP):
            await client.turn(session_id)
        for _ in range(count):
            await same.add(site, floor, client.turn(session_id))
        for _ in range(count):
            await fresh.add(site, floor, client.turn(await client.open_new()))
    waits = f"of it 1 wait for the disk, {sync_time(disk) * 1000:.1f} ms"
    return Section(
        f"One turn at a time ({count} turns each)",
        [
            Figure(
                "first token over the floor, p50 / p99",
                both(same.first_over),
                "+5 / +15 ms",
                f"floor {_floor(same, 'first')}; {waits}",
            ),
            Figure("  a fresh session each turn", both(fresh.first_over), "+5 / +15 ms"),
            Figure(
                "end of the turn over the floor, p50 / p99",
                both(same.end_over),
                "+8 ms",
                f"floor {_floor(same, 'end')}; 2 waits for the disk",
            ),
            Figure("  a fresh session each turn", both(fresh.end_over), "+8 ms"),
            Figure("CPU of the process per turn", f"{same.cpu_each:.1f} ms", "12 ms"),
            Figure("  a fresh session each turn", f"{fresh.cpu_each:.1f} ms", "12 ms"),
            Figure("answers that did not come whole", str(same.failures + fresh.failures), "0"),
        ],
    )


def both(values: list[float]) -> str:
    """Return median and 99th percentile of milliseconds."""
    return f"{median(values):+.1f} / {percentile(values, 99):+.1f} ms"


def _floor(series: Series, part: Literal["first", "end"]) -> str:
    return f"{median([getattr(one, part) for one in series.floor]) * 1000:.1f} ms"


async def at_once(site: Site, floor: Floor, seed: Seed, users: int, rounds: int) -> Section:
    """Users who each say something at the same moment, then as many callers of the floor."""
    host: list[Timing] = []
    least: list[Timing] = []
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(site.url, token)) for token in seed.tokens[:users]]
        sessions = [await client.open_new() for client in clients]
        await all_at_once(clients, sessions)
        await floor.repeat_at_once(users)
        before = site.cpu
        for _ in range(rounds):
            host += await all_at_once(clients, sessions)
            least += await floor.repeat_at_once(users)
        spent = (site.cpu - before) / len(host) * 1000
    first, least_first = (median([one.first for one in series]) for series in (host, least))
    end, least_end = (median([one.end for one in series]) for series in (host, least))
    return Section(
        f"{users} users at once ({rounds} rounds)",
        [
            Figure("first token p50, in floors", f"{first / least_first:.1f} x", "2 x", _pair(first, least_first)),
            Figure("end of the turn p50, in floors", f"{end / least_end:.1f} x", "", _pair(end, least_end)),
            Figure("CPU of the process per turn", f"{spent:.1f} ms"),
            Figure("failures", str(sum(not one.whole for one in host)), "0"),
        ],
    )


async def all_at_once(clients: Sequence[Client], sessions: Sequence[str]) -> list[Timing]:
    """One turn of each client in its session, all at the same moment."""
    turns = (client.turn(session_id) for client, session_id in zip(clients, sessions, strict=True))
    return list(await asyncio.gather(*turns))


def _pair(host: float, floor: float) -> str:
    return f"{host * 1000:.0f} ms against {floor * 1000:.0f} ms"
