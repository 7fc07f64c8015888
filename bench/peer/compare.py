"""Turns of the host and of the peer, each with the floor's call that follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from bench.client import Client
from bench.floor import Floor
from bench.peer.client import PeerClient
from bench.peer.server import PeerSite
from bench.provider import Provider
from bench.report import Figure, Section
from bench.site import World
from bench.timing import Timing, median, percentile
from bench.turns import WARM_UP, Measured, Series

ROUNDS = 3
CROWD = 50
CROWD_ROUNDS = 10

Turn = Callable[[], Coroutine[Any, Any, Timing]]
Side = tuple[Measured, Sequence[Turn]]
"""A server, and how each of its connected users has a turn."""


async def compared(count: int, folder: Path, provider: Provider) -> list[Section]:
    """`count` turns of each, in three rounds turn about; then 50 users of each at once."""
    world = World(folder, provider.url)
    seed = world.seed(CROWD)
    peer = PeerSite(folder, provider.url)
    try:
        with world.site() as host:
            async with AsyncExitStack() as stack:
                floor = await stack.enter_async_context(Floor(provider.url))
                users = [await stack.enter_async_context(Client(host.url, token)) for token in seed.tokens]
                here = host, [partial(user.turn, await user.open_new()) for user in users]
                known = [PeerClient(peer.url, peer.cookie(f"user{number}")) for number in range(CROWD)]
                visitors = [await stack.enter_async_context(visitor) for visitor in known]
                there = peer, [visitor.turn for visitor in visitors]
                return [await _alone(floor, here, there, count), await _crowd(floor, here, there)]
    finally:
        peer.process.kill()


async def _alone(floor: Floor, here: Side, there: Side, count: int) -> Section:
    """One turn at a time, each side's always in the same conversation."""
    mine, theirs = Series(), Series()
    for _, turns in (here, there):
        for _ in range(WARM_UP):
            await turns[0]()
    for _ in range(ROUNDS):
        for (server, turns), series in ((here, mine), (there, theirs)):
            for _ in range(count // ROUNDS):
                await series.add(server, floor, turns[0]())
    first, end = (mine.first_over, theirs.first_over), (mine.end_over, theirs.end_over)
    return Section(
        f"One turn at a time ({count} turns each)",
        [
            _ratio("first token over the floor, p50", map(median, first), "0.33 x"),
            _ratio("first token over the floor, p99", (percentile(one, 99) for one in first), "0.5 x"),
            _ratio("end of the turn over the floor, p50", map(median, end), "0.33 x"),
            _ratio("CPU of the process per turn", (mine.cpu_each, theirs.cpu_each), "0.33 x"),
            Figure("answers that did not come whole", f"{mine.failures} / {theirs.failures}", "0"),
        ],
    )


async def _crowd(floor: Floor, here: Side, there: Side) -> Section:
    """All users say something at the same moment, turn about with those of the other side."""
    heard: tuple[list[Timing], list[Timing]] = [], []
    spent = [0.0, 0.0]
    for number in range(1 + CROWD_ROUNDS):
        for side, (server, turns) in enumerate((here, there)):
            before = server.cpu
            timings = await asyncio.gather(*(turn() for turn in turns))
            await floor.repeat_at_once(CROWD)
            if number:  # the first is the warm-up
                heard[side].extend(timings)
                spent[side] += server.cpu - before
    first = [median([one.first for one in timings]) * 1000 for timings in heard]
    each = [seconds / len(timings) * 1000 for seconds, timings in zip(spent, heard, strict=True)]
    failures = [sum(not one.whole for one in timings) for timings in heard]
    return Section(
        f"{CROWD} users at once ({CROWD_ROUNDS} rounds)",
        [
            _ratio("first token, p50", first, "0.5 x"),
            _ratio("CPU of the process per turn", each),
            Figure("answers that did not come whole", "{} / {}".format(*failures), "0"),
        ],
    )


def _ratio(name: str, pair: Iterable[float], goal: str = "") -> Figure:
    mine, theirs = pair
    return Figure(name, f"{mine / theirs:.2f} x", goal, f"{mine:.1f} ms against {theirs:.1f} ms")
