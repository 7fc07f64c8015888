"""Two checkouts beside each other: `python -m bench against PATH`, PATH being a clone of another commit with its .venv.

A host of each runs on a database of its own, with its own Python and libraries; provider, client and floor are this
checkout's. They take their turns in short rounds, A B A B …, so whatever else the machine is doing hits both, and what
is compared is one round of each with the other's next to it: the ratio is the median of the rounds' ratios. CPU is the
process's own by the kernel's account, which other load disturbs least.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import Client
from bench.floor import Floor
from bench.provider import Provider
from bench.report import Figure, Section
from bench.site import Site, World
from bench.timing import median
from bench.turns import WARM_UP, Series, all_at_once
from tests.processes import ROOT

USERS = 50
TURNS = 20
"""Of one user, in a round of each."""

Measured = dict[str, float]
"""What a round has cost, by the name of the figure."""


@dataclass(slots=True)
class Host:
    """A running host of one checkout, with the connections of its users, and what its rounds have cost so far."""

    name: str
    site: Site
    clients: list[Client]
    sessions: list[str]
    rounds: list[Measured] = field(default_factory=list)


async def compared(others: list[Path], rounds: int, folder: Path, provider: Provider) -> list[Section]:
    """A section of this checkout against each other one."""
    worlds = [_world(root, folder / str(number), provider) for number, root in enumerate([ROOT, *others])]
    async with AsyncExitStack() as stack:
        floor = await stack.enter_async_context(Floor(provider.url))
        # Started before anybody connects: this takes long, and who answers no ping meanwhile is cut off.
        started = [(world, world.seed(USERS).tokens, stack.enter_context(world.site())) for world in worlds]
        hosts = [await _host(str(world.root), site, tokens, stack) for world, tokens, site in started]
        for host in hosts:
            for _ in range(WARM_UP):
                await host.clients[0].turn(host.sessions[0])
            await all_at_once(host.clients, host.sessions)
        await floor.repeat_at_once(USERS)
        for _ in range(rounds):
            for host in hosts:
                host.rounds.append(await _one_at_a_time(host, floor) | await _at_once(host, floor))
    mine, *theirs = hosts
    return [Section(f"Against {each.name} ({rounds} rounds)", list(_figures(mine, each))) for each in theirs]


def _world(root: Path, folder: Path, provider: Provider) -> World:
    # As make run does: the host does not start without them.
    subprocess.run(["make", "--silent", "staticfiles/stamp"], cwd=root, check=True)
    folder.mkdir()
    return World(folder, provider.url, root=root)


async def _host(name: str, site: Site, tokens: list[str], stack: AsyncExitStack) -> Host:
    clients = [await stack.enter_async_context(Client(site.url, token)) for token in tokens]
    return Host(name, site, clients, [await client.open_new() for client in clients])


async def _one_at_a_time(host: Host, floor: Floor) -> Measured:
    series = Series()
    for _ in range(TURNS):
        await series.add(host.site, floor, host.clients[0].turn(host.sessions[0]))
    return {
        "one at a time: CPU per turn": series.cpu_each,
        "  first token over the floor": median(series.first_over),
        "  end over the floor": median(series.end_over),
        "  answers that did not come whole": series.failures,
    }


async def _at_once(host: Host, floor: Floor) -> Measured:
    before = host.site.cpu
    turns = await all_at_once(host.clients, host.sessions)
    spent = host.site.cpu - before
    least = await floor.repeat_at_once(USERS)
    return {
        f"{USERS} at once: CPU per turn": spent / USERS * 1000,
        "  first token, more than the floor's": _more([one.first for one in turns], [one.first for one in least]),
        "  end, more than the floor's": _more([one.end for one in turns], [one.end for one in least]),
        "  failures": sum(not one.whole for one in turns),
    }


def _more(host: list[float], floor: list[float]) -> float:
    return (median(host) - median(floor)) * 1000


def _figures(mine: Host, other: Host) -> Iterator[Figure]:
    for name in mine.rounds[0]:
        pairs = [(here[name], there[name]) for here, there in zip(mine.rounds, other.rounds, strict=True)]
        here, there = (median([pair[place] for pair in pairs]) for place in (0, 1))
        if not any(value for pair in pairs for value in pair):
            yield Figure(name, "0", "", "0 in all rounds of both")
            continue
        ratio = median([one / two for one, two in pairs if two])
        each = ", ".join(f"{one:.1f}/{two:.1f}" for one, two in pairs)
        yield Figure(name, f"{ratio:.2f} x", "", f"{here:.1f} against {there:.1f}: {each}")
