"""An ordinary turn in a session with branches beside one with none: `python -m bench branches`.

Both lines hold the same messages, said in the same order. In one of them every answer was asked for twice, so that each
second answer began a branch within the branch before.
"""

from __future__ import annotations

from pathlib import Path

from bench.client import Client
from bench.counted import count_in
from bench.floor import Floor
from bench.provider import PLAIN, Provider
from bench.report import Figure, Section
from bench.site import World
from bench.timing import median
from bench.turns import Series

BRANCHES = 50
WARM_UP = 10
COUNTED = 9
"""Turns whose queries are counted."""


async def many_and_none(count: int, folder: Path, provider: Provider) -> list[Section]:
    """First token, CPU and queries of a turn in each of two sessions, by turns in one process."""
    world = World(folder, provider.url)
    token, counter = world.seed(1).tokens[0], folder / "queries"
    with world.site() as site:
        async with Client(site.url, token) as client, Floor(provider.url) as floor:
            sessions = [await _session(client, 0), await _session(client, BRANCHES)]
            none, many = Series(), Series()
            for _ in range(WARM_UP):
                for session_id in sessions:
                    await client.turn(session_id)
            for _ in range(count):
                for series, session_id in zip((none, many), sessions, strict=True):
                    await series.add(site, floor, client.turn(session_id))
    with world.site(("-m", "bench.counted", str(counter), "serve")) as site:
        async with Client(site.url, token) as client:
            queries = [await queries_of_a_turn(client, session_id, counter) for session_id in sessions]
    first = [median([one.first for one in series.host]) * 1000 for series in (none, many)]
    return [
        Section(
            f"A turn in a session with {BRANCHES} branches, to one with none ({count} turns each)",
            [
                beside_none("first token p50", first, "ms", "the same"),
                beside_none("CPU of the process per turn", [none.cpu_each, many.cpu_each], "ms", "the same"),
                beside_none("queries of a turn", queries, "", "the same"),
                Figure("answers that did not come whole", str(none.failures + many.failures), "0"),
            ],
        )
    ]


async def _session(client: Client, branches: int) -> str:
    """A session of as many turns as the other one, some of whose answers were asked for again."""
    session_id = await client.open_new()
    for number in range(BRANCHES):
        await client.turn(session_id)
        if number < branches:
            await client.steer("turn.regenerate", {"session_id": session_id}, PLAIN)
    return session_id


async def queries_of_a_turn(client: Client, session_id: str, counter: Path) -> float:
    """Median of some turns, in a host that counts them in a file."""
    await client.ask("session.open", session_id=session_id)
    await client.turn(session_id)
    counts = []
    for _ in range(COUNTED):
        before = count_in(counter)
        await client.turn(session_id)
        counts.append(float(count_in(counter) - before))
    return median(counts)


def beside_none(name: str, values: list[float], unit: str, goal: str = "") -> Figure:
    """Return the second value, with what is measured, in the first, without it."""
    none, some = values
    return Figure(name, f"{some / none:.2f} x", goal, f"{some:.1f} {unit}; with none {none:.1f} {unit}".rstrip())
