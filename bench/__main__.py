"""`python -m bench [--quick]`, and with what is measured after it: `cache`, `search`, `load` …; see the package."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import (
    against,
    branches,
    budgets,
    cache,
    doors,
    files,
    footprint,
    length,
    lifetime,
    load,
    palette,
    profiling,
    purge,
    recognition,
    search,
    soak,
    steering,
    tools,
    transfer,
    turns,
)
from bench.floor import Floor
from bench.peer.compare import compared as peer_compared
from bench.provider import Provider
from bench.report import Section, table
from bench.site import World
from tests.processes import ROOT


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of each is measured."""

    turns: int
    rounds: int
    long: int
    agents: int
    sockets: int
    starts: int


FULL = Plan(turns=300, rounds=20, long=100, agents=1_000, sockets=2_000, starts=5)
QUICK = Plan(turns=60, rounds=4, long=30, agents=150, sockets=300, starts=1)
USERS = 50
WARM_AGENTS = 100
WHAT = (
    "table cache search recognition profile load profile-load purge soak steering branches budgets palette doors files "
    "tools lifetime transfer peer against"
)


async def measure(plan: Plan, folder: Path, provider: Provider) -> list[Section]:
    """All figures that need a running host."""
    world = World(folder, provider.url)
    seed = world.seed(WARM_AGENTS + plan.agents, length.SEEDED)
    starts = []
    for _ in range(plan.starts):
        with world.site(HERMES_MODEL="demo") as site:
            starts.append(site.started)
            demo = site.memory
    async with Floor(provider.url) as floor:
        with world.site() as site:
            site.settle()
            sections = [
                await footprint.idle(site, seed, starts, demo),
                await turns.one_at_a_time(site, floor, seed, plan.turns, folder),
                await turns.at_once(site, floor, seed, USERS, plan.rounds),
            ]
        with world.site() as site:
            sections.append(await length.short_and_long(site, floor, seed, plan.long))
        # Fresh processes: what an earlier part has freed would hide what is held here.
        with world.site() as site:
            sections.append(
                Section("Cache and sockets", [footprint.guard(), await footprint.agents(site, seed, WARM_AGENTS)])
            )
        with world.site() as site:
            sections[-1].figures.append(await footprint.sockets(site, seed, plan.sockets))
        counter = folder / "queries"
        with world.site(("-m", "bench.counted", str(counter), "serve")) as site:
            sections.append(await length.queries(site, seed, counter))
    return sections


async def whole(plan: Plan, folder: Path, provider: Provider) -> list[Section]:
    """The table that is made where nothing else is asked for."""
    return [*await measure(plan, folder, provider), footprint.install()]


async def profiled(count: int, folder: Path, provider: Provider) -> list[Section]:
    """Where a turn's CPU goes: on SQLite, one turn at a time."""
    world = World(folder, provider.url)
    seed = world.seed(1)
    with world.site() as site:
        return await profiling.one_at_a_time(site, seed, folder, count)


async def figures(what: str, quick: bool, minutes: float, others: list[Path], folder: Path) -> list[Section]:
    """The part that was asked for."""
    if what == "cache":
        return await cache.compared(cache.QUICK if quick else cache.FULL, folder)
    if what == "search":
        return search.compared(2_000 if quick else 50_000, 100 if quick else 500, folder)
    if what == "recognition":
        return recognition.compared((10, 1_000) if quick else (10, 1_000, 100_000), 100 if quick else 300, folder)
    plan, load_plan = (QUICK, load.QUICK) if quick else (FULL, load.FULL)
    provider = Provider()
    parts: dict[str, Callable[[], Awaitable[list[Section]]]] = {
        "table": partial(whole, plan, folder, provider),
        "profile": partial(profiled, plan.turns, folder, provider),
        "profile-load": partial(load.profiled, load_plan, folder, provider),
        "doors": partial(doors.by_each, plan.turns, folder, provider),
        "files": partial(files.figures, quick, folder, provider),
        "tools": partial(tools.of_a_server, plan.turns, folder, provider),
        "steering": partial(steering.after_an_edit, folder, provider),
        "branches": partial(branches.many_and_none, plan.turns, folder, provider),
        "budgets": partial(budgets.some_and_none, plan.turns, folder, provider),
        "transfer": partial(transfer.there_and_back, quick, folder, provider),
        "peer": partial(peer_compared, plan.turns, folder, provider),
        "palette": partial(palette.from_the_key, plan.long, folder, provider),
        "soak": partial(soak.soak, minutes, folder, provider),
        "purge": partial(purge.beside_turns, purge.QUICK if quick else purge.FULL, folder, provider),
        "load": partial(load.load, load_plan, folder, provider),
        "against": partial(against.compared, others, 5 if quick else 15, folder, provider),
    }
    try:
        return await parts[what]()
    finally:
        provider.process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=WHAT.split(), default="table")
    parser.add_argument("--quick", action="store_true", help="fewer of everything, in about a minute")
    parser.add_argument("--minutes", type=float, default=15, help="of each of the soak's three runs; 15")
    parser.add_argument("--pauses", type=Path, help="of lifetime: a file of measured pauses, in seconds, one a line")
    parser.add_argument("others", nargs="*", type=Path, help="of against: checkouts of other commits, with their .venv")
    options = parser.parse_args()
    if (options.what == "against") != bool(options.others):
        parser.error("against takes the path of at least one other checkout, and nothing else takes any")
    if options.what == "lifetime":
        # Calculated, not measured: the same on every machine.
        try:
            print(table(asyncio.run(lifetime.compared(options.pauses))))
        except (OSError, ValueError) as error:
            parser.error(str(error))
        return
    # As make run does: the host does not start without them.
    subprocess.run(["make", "--silent", "staticfiles/stamp"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory(prefix="hermes-bench-") as name:
        sections = asyncio.run(
            figures(
                options.what, options.quick, options.minutes, [path.resolve() for path in options.others], Path(name)
            )
        )
    print(
        f"{os.cpu_count()} cores, shared by host, provider and client; load of the last minute {os.getloadavg()[0]:.1f}"
    )
    print(table(sections))


if __name__ == "__main__":
    main()
