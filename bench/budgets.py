"""A turn of a user with budgets beside one of a user with none: `python -m bench budgets`. The audit is on for both."""

from __future__ import annotations

import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

from bench.branches import WARM_UP, beside_none, queries_of_a_turn
from bench.client import Client
from bench.floor import Floor
from bench.provider import Provider
from bench.report import Figure, Section
from bench.site import World, python_of
from bench.timing import median
from bench.turns import Series

PERIODS = ("day", "week", "month")


async def some_and_none(count: int, folder: Path, provider: Provider) -> list[Section]:
    """First token, end, CPU and queries of a turn of each of two users, by turns in one process."""
    world, counter = World(folder, provider.url), folder / "queries"
    tokens = world.seed(2).tokens
    _give_budgets(world, "user1")
    none, some = Series(), Series()
    with world.site() as site:
        async with AsyncExitStack() as stack:
            floor = await stack.enter_async_context(Floor(provider.url))
            clients = [await stack.enter_async_context(Client(site.url, token)) for token in tokens]
            chats = [(client, await client.open_new()) for client in clients]
            for number in range(WARM_UP + count):
                for series, (client, session_id) in zip((none, some), chats, strict=True):
                    await (Series() if number < WARM_UP else series).add(site, floor, client.turn(session_id))
    with world.site(("-m", "bench.counted", str(counter), "serve")) as site:
        queries = [await _queries(site.url, token, counter) for token in tokens]
    first = [median([one.first for one in series.host]) * 1000 for series in (none, some)]
    end = [median([one.end for one in series.host]) * 1000 for series in (none, some)]
    return [
        Section(
            f"A turn of a user with {len(PERIODS)} budgets, to one of a user with none ({count} turns each)",
            [
                beside_none("first token p50", first, "ms"),
                beside_none("end of the turn p50", end, "ms"),
                beside_none("CPU of the process per turn", [none.cpu_each, some.cpu_each], "ms"),
                beside_none("queries of a turn", queries, ""),
                Figure("answers that did not come whole", str(none.failures + some.failures), "0"),
            ],
        )
    ]


def _give_budgets(world: World, name: str) -> None:
    for period in PERIODS:
        command = ["manage.py", "budget", "--user", name, "--per", period, "--tokens", "1000000000"]
        subprocess.run([python_of(world.root), *command], cwd=world.root, env=world.env, check=True)


async def _queries(url: str, token: str, counter: Path) -> float:
    async with Client(url, token) as client:
        return await queries_of_a_turn(client, await client.open_new(), counter)
