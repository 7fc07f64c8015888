"""The same turn at message 10 and at message 2,000, by turns; and opening the long session."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from bench.client import Client
from bench.counted import count_in
from bench.floor import Floor
from bench.report import Figure, Section
from bench.site import Seed, Site
from bench.timing import median
from bench.turns import Series

LENGTHS = (8, 2_000)


async def short_and_long(site: Site, floor: Floor, seed: Seed, count: int) -> Section:
    """Turns of both sessions alternate; before them, the first turn of each, which reads the transcript."""
    series = [Series() for _ in LENGTHS]
    cold: list[float] = []
    async with Client(site.url, seed.tokens[0]) as client:
        for session_id in seed.sessions:
            await client.ask("session.open", session_id=session_id)
            cold.append((await client.turn(session_id)).first * 1000)
        for _ in range(count):
            for one, session_id in zip(series, seed.sessions, strict=True):
                await one.add(site, floor, client, session_id)
        opened = [await _open(client, seed.sessions[-1]) for _ in range(count)]
    short, long = series
    firsts = [median([one.first for one in each.host]) * 1000 for each in series]
    floors = [median([one.first for one in each.floor]) * 1000 for each in series]
    return Section(
        f"At message {LENGTHS[1]:,} instead of 10 ({count} turns each)",
        [
            Figure(
                "first token p50",
                f"{firsts[1] - firsts[0]:+.1f} ms",
                "the same",
                f"{firsts[1]:.1f} - {firsts[0]:.1f} ms; the floor itself {floors[1] - floors[0]:+.1f} ms",
            ),
            Figure(
                "CPU of the process per turn",
                f"{long.cpu_each / short.cpu_each:.2f} x",
                "the same",
                f"{long.cpu_each:.1f} / {short.cpu_each:.1f} ms",
            ),
            Figure("first turn after a start", f"{cold[1] - cold[0]:+.0f} ms", "", f"{cold[1]:.0f} - {cold[0]:.0f} ms"),
            Figure("session.open, p50", f"{median([took for took, _ in opened]) * 1000:.1f} ms", "20 ms"),
            Figure("session.open, answer", f"{opened[-1][1] / 1000:.1f} kB", "60 kB"),
        ],
    )


async def _open(client: Client, session_id: str) -> tuple[float, int]:
    """Seconds and bytes."""
    began = perf_counter()
    _, size = await client.ask("session.open", session_id=session_id)
    return perf_counter() - began, size


async def queries(site: Site, seed: Seed, counter: Path) -> Section:
    """Database queries of a turn, counted in a host of its own (`counted`) whose counter this is."""
    counts: list[int] = []
    async with Client(site.url, seed.tokens[0]) as client:
        for session_id in seed.sessions:
            await client.ask("session.open", session_id=session_id)
            await client.turn(session_id)
            counts.append(int(median([await _queries(counter, client, session_id) for _ in range(9)])))
    return Section("Database", [Figure("queries of a turn", f"{counts[1]}", "the same", f"{counts[0]} at message 10")])


async def _queries(counter: Path, client: Client, session_id: str) -> int:
    before = count_in(counter)
    await client.turn(session_id)
    return count_in(counter) - before
