"""The same turn at message 10, 1,000 and 10,000, by turns; reading such a session, and opening it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.client import Client
from bench.counted import count_in
from bench.floor import Floor
from bench.report import Figure, Section
from bench.site import Seed, Site
from bench.timing import Timing, median
from bench.turns import Series

LENGTHS = (8, 1_000, 10_000)
SEEDED = LENGTHS * 5
"""Five of each, because a process reads a session for the first time only once."""
WARM_UP = 10
PAUSE = 0.001
"""Seconds between two questions whether the loop is held."""


@dataclass(slots=True)
class Reading:
    """First turns of sessions of one length: milliseconds to the first text, and the longest that the loop was held."""

    first: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)


async def short_and_long(site: Site, floor: Floor, seed: Seed, count: int) -> Section:
    """In a process that has just started: first turns, which read the transcript; then others by turns; openings."""
    async with Client(site.url, seed.tokens[0]) as client, Client(site.url, seed.tokens[0]) as other:
        await _warm_up(client, other)
        readings = await _read(client, other, seed)
        series, bodies = await _turns(site, floor, client, seed, count)
        opened = [[await _open(client, session_id) for _ in range(count)] for session_id in _one_each(seed)]
    return Section(
        f"At message 10, {LENGTHS[1]:,} and {LENGTHS[2]:,} ({count} turns each)",
        [
            _figure("first token p50", [median([one.first for one in each.host]) * 1000 for each in series], "ms"),
            _figure("  of the floor, with the same body", [_floor(each) for each in series], "ms", goal=""),
            _figure("CPU of the process per turn", [each.cpu_each for each in series], "ms"),
            _figure("request to the provider; as much is held", [body / 1000 for body in bodies], "kB", goal=""),
            _figure("first turn after a start, first token", [median(each.first) for each in readings], "ms", goal=""),
            _figure("  longest wait for the loop meanwhile", [median(each.held) for each in readings], "ms", goal=""),
            _figure("session.open, p50", [median([took for took, _ in each]) * 1000 for each in opened], "ms", "20 ms"),
            _figure("session.open, answer", [each[-1][1] / 1000 for each in opened], "kB", "60 kB"),
            Figure("answers that did not come whole", str(sum(each.failures for each in series)), "0"),
        ],
    )


def _figure(name: str, values: Sequence[float], unit: str, goal: str = "the same") -> Figure:
    shown = " / ".join(f"{value:,.1f}" for value in values)
    return Figure(name, f"{shown} {unit}", goal, f"{values[-1] / values[0]:.2f} x")


def _floor(series: Series) -> float:
    return median([one.first for one in series.floor]) * 1000


def _one_each(seed: Seed) -> list[str]:
    return seed.sessions[: len(LENGTHS)]


async def _warm_up(client: Client, other: Client) -> None:
    session_id = await client.open_new()
    for _ in range(WARM_UP):
        await _meanwhile(other, client.turn(session_id))


async def _read(client: Client, other: Client, seed: Seed) -> list[Reading]:
    readings = [Reading() for _ in LENGTHS]
    for number, session_id in enumerate(seed.sessions):
        await client.ask("session.open", session_id=session_id)
        timing, held = await _meanwhile(other, client.turn(session_id))
        reading = readings[number % len(LENGTHS)]
        reading.first.append(timing.first * 1000)
        reading.held.append(held * 1000)
    return readings


async def _meanwhile(other: Client, turn: Coroutine[Any, Any, Timing]) -> tuple[Timing, float]:
    """A turn, and the longest that another connection had to wait for an answer meanwhile."""
    turning, longest = asyncio.create_task(turn), 0.0
    while not turning.done():
        longest = max(longest, await other.echo())
        await asyncio.sleep(PAUSE)
    return turning.result(), longest


async def _turns(site: Site, floor: Floor, client: Client, seed: Seed, count: int) -> tuple[list[Series], list[int]]:
    """Turns of the three sessions by turns; and the bytes of their last requests."""
    series = [Series() for _ in LENGTHS]
    for _ in range(count):
        for one, session_id in zip(series, _one_each(seed), strict=True):
            await one.add(site, floor, client.turn(session_id))
    bodies = []
    for session_id in _one_each(seed):
        await client.turn(session_id)
        bodies.append(len((await floor.bodies(1))[0].encode()))
    return series, bodies


async def _open(client: Client, session_id: str) -> tuple[float, int]:
    """Seconds and bytes."""
    began = perf_counter()
    _, size = await client.ask("session.open", session_id=session_id)
    return perf_counter() - began, size


async def queries(site: Site, seed: Seed, counter: Path) -> Section:
    """Database queries of a turn, counted in a host of its own (`counted`) whose counter this is."""
    counts: list[float] = []
    async with Client(site.url, seed.tokens[0]) as client:
        for session_id in _one_each(seed):
            await client.ask("session.open", session_id=session_id)
            await client.turn(session_id)
            counts.append(median([await _queries(counter, client, session_id) for _ in range(9)]))
    shown = " / ".join(f"{count:.0f}" for count in counts)
    return Section("Database", [Figure("queries of a turn, at these messages", shown, "the same")])


async def _queries(counter: Path, client: Client, session_id: str) -> int:
    before = count_in(counter)
    await client.turn(session_id)
    return count_in(counter) - before
