"""The same turn by each way into the host: `python -m bench doors`. One session for each, asked by turns.

By OpenAI's chat completions all that was said comes with each question, and the session is found by it. By AG-UI all
messages come as well, and are found by their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from bench.client import Client
from bench.floor import Floor
from bench.program import Program
from bench.provider import PLAIN, Provider
from bench.report import Figure, Section
from bench.site import Site, World
from bench.thread import Thread
from bench.timing import Timing
from bench.turns import WARM_UP, Series, both

Turn = Callable[[], Coroutine[Any, Any, Timing]]


async def by_each(count: int, folder: Path, provider: Provider) -> list[Section]:
    """First token and CPU of a turn over the socket, by OpenAI's chat completions and by AG-UI."""
    world = World(folder, provider.url)
    seed = world.seed(3)
    socket, program, agui = seed.tokens
    with world.site() as site:
        async with (
            Floor(provider.url) as floor,
            Client(site.url, socket) as client,
            Program(site.url, program) as calling,
            Thread(site.url, agui) as thread,
        ):
            ways: dict[str, Turn] = {
                "over the socket": partial(client.turn, await client.open_new()),
                "by chat completions": partial(calling.turn, PLAIN),
                "by AG-UI": partial(thread.turn, PLAIN),
            }
            return [await _section(count, site, floor, ways)]


async def _section(count: int, site: Site, floor: Floor, ways: dict[str, Turn]) -> Section:
    series = {name: Series() for name in ways}
    for _ in range(WARM_UP):
        for turn in ways.values():
            await turn()
    for _ in range(count):
        for name, turn in ways.items():
            await series[name].add(site, floor, turn())
    figures: list[Figure] = []
    for name, one in series.items():
        figures += [
            Figure(f"{name}: first token over the floor, p50 / p99", both(one.first_over)),
            Figure("  CPU of the process per turn", f"{one.cpu_each:.1f} ms"),
            Figure("  answers that did not come whole", str(one.failures), "0"),
        ]
    return Section(f"The same turn by each way ({count} turns each)", figures)
