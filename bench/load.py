"""`python -m bench load`: the highest steady rate of turns over PostgreSQL and Redis, and what a turn costs there.

Users are connected all the while; a rate holds while the 99th percentile of the added time to the first token stays
within LIMIT. Answers come at a provider's pace, so that a turn lasts a second and its chunks come one by one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt
from pathlib import Path

from bench import profiling
from bench.crowd import LIMIT, PACED, Crowd, Step
from bench.floor import Floor
from bench.provider import PLAIN, Provider, Shape
from bench.report import Figure, Section
from bench.services import Services, services
from bench.site import Seed, Site, World
from bench.timing import median, percentile

LONG = Shape(chunks=250, pause=20)
HOST, DATABASE, REDIS, PROVIDER, CLIENT = "host", "PostgreSQL", "Redis", "provider", "client"
_GROWTH = 1.5
# Connections that fill the pools before memory is looked at.
_BEFORE = 50


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How many users, how long a rate is tried and then held (seconds), how near the highest is looked for."""

    users: int
    first: float
    tried: float
    held: float
    fineness: float


FULL = LoadPlan(users=2_000, first=15, tried=10, held=20, fineness=1.12)
QUICK = LoadPlan(users=200, first=15, tried=3, held=5, fineness=1.3)


@dataclass(slots=True)
class Outcome:
    """What one arrangement of processes carried: `steps` were tried, `best` was held."""

    title: str
    steps: list[Step]
    best: Step
    figures: list[Figure]

    def each(self, part: str) -> float:
        """Milliseconds of CPU that a part used per turn at the highest rate; what it does anyway is among them."""
        return self.best.spent[part] / len(self.best.turns) * 1000


async def load(plan: LoadPlan, folder: Path, provider: Provider) -> list[Section]:
    """One process, two, and two with a second tab of each user in the other one."""
    with services() as running:
        world = World(folder, provider.url, running)
        seed = world.seed(plan.users)
        async with Floor(provider.url) as floor:
            async with _arranged(world, running, provider, floor, 1) as (crowd, sites):
                one = await _seated(plan, crowd, sites, seed, "One process", plan.first)
                least = await _floor_cpu(floor)
            async with _arranged(world, running, provider, floor, 2) as (crowd, sites):
                two = await _seated(plan, crowd, sites, seed, "Two processes", one.best.rate)
                tabs = await _with_second_tabs(plan, crowd, sites, two.best.rate / _GROWTH)
    outcomes = [one, two, tabs]
    return [*(_section(outcome, least) for outcome in outcomes), _compared(outcomes)]


async def profiled(plan: LoadPlan, folder: Path, provider: Provider) -> list[Section]:
    """Where a turn's CPU goes: one of two processes, at a rate that both keep up with."""
    with services() as running:
        world = World(folder, provider.url, running)
        seed = world.seed(_BEFORE)
        async with Floor(provider.url) as floor, _arranged(world, running, provider, floor, 1) as (crowd, sites):
            await crowd.connect([sites[0].url], seed.tokens)
            await crowd.everybody(PLAIN)
            return await profiling.many(sites[0], crowd, folder, plan.first / 2, plan.held)


@asynccontextmanager
async def _arranged(
    world: World, running: Services, provider: Provider, floor: Floor, processes: int
) -> AsyncIterator[tuple[Crowd, list[Site]]]:
    sites: list[Site] = []
    clocks: dict[str, Callable[[], float]] = {
        HOST: lambda: sum(site.cpu for site in sites),
        DATABASE: lambda: running.database_cpu,
        REDIS: lambda: running.redis_cpu,
        PROVIDER: lambda: provider.cpu,
        CLIENT: time.process_time,
    }
    # The crowd outlives the hosts: to be told to go is quicker than to say goodbye one by one.
    async with Crowd(floor, clocks) as crowd:
        with ExitStack() as stack:
            sites += [stack.enter_context(world.site()) for _ in range(processes)]
            yield crowd, sites


async def _seated(plan: LoadPlan, crowd: Crowd, sites: list[Site], seed: Seed, title: str, first: float) -> Outcome:
    urls = [site.url for site in sites]
    await crowd.connect(urls, seed.tokens[:_BEFORE])
    memory = [_rss(sites)]
    await crowd.connect(urls, seed.tokens[_BEFORE:])
    memory.append(_rss(sites))
    await crowd.everybody(PLAIN)
    memory.append(_rss(sites))
    idle = await crowd.rest(plan.tried / 2)
    outcome = await _climbed(plan, crowd, title, first)
    each = [(after - before) / (plan.users - _BEFORE) for before, after in pairwise(memory)]
    outcome.figures += [
        Figure("memory of a connection, its session open", f"{each[0]:.1f} kB", "", f"over {plan.users - _BEFORE:,}"),
        Figure("  and of the user's agent after one turn", f"{each[1]:.1f} kB"),
        Figure("CPU while nobody speaks", f"{_share(idle, HOST)} of a core", "", _shares(idle)),
        await _chunks(plan, crowd, idle, outcome.best.rate),
    ]
    return outcome


async def _with_second_tabs(plan: LoadPlan, crowd: Crowd, sites: list[Site], first: float) -> Outcome:
    before = _rss(sites)
    await crowd.second_tabs([site.url for site in sites])
    each = (_rss(sites) - before) / len(crowd.seats)
    outcome = await _climbed(plan, crowd, "Two processes, a second tab of each user in the other one", first)
    firsts = [one.first * 1000 for one in outcome.best.seconds]
    outcome.figures += [
        Figure("first token in the second tab, p50 / p99", f"{median(firsts):.0f} / {percentile(firsts, 99):.0f} ms"),
        Figure("memory of a second tab", f"{each:.1f} kB"),
    ]
    return outcome


def _rss(sites: list[Site]) -> float:
    """kB of all."""
    return sum(site.memory.rss for site in sites) * 1024


async def _climbed(plan: LoadPlan, crowd: Crowd, title: str, rate: float) -> Outcome:
    """Raise the rate until it fails, halve the distance, then hold what is left, a tenth less where it does not."""
    steps: list[Step] = []
    good, bad = 0.0, inf
    while not good or bad / good > plan.fineness:
        steps.append(await _tried(crowd, rate, plan.tried))
        if steps[-1].holds:
            good = rate
        else:
            bad = rate
        rate = good * _GROWTH if bad == inf else sqrt(good * bad) if good else bad / _GROWTH
    best = await _tried(crowd, good, plan.held)
    while not best.holds:
        steps.append(best)
        best = await _tried(crowd, best.rate * 0.9, plan.held)
    return Outcome(title, steps, best, [])


async def _tried(crowd: Crowd, rate: float, seconds: float) -> Step:
    """Hold a rate, and say how it went: the whole takes minutes."""
    step = await crowd.hold(rate, seconds, PACED)
    print(
        f"{rate:6.1f} turns/s: added {median(step.added):+.0f} / {percentile(step.added, 99):+.0f} ms,"
        f" {step.spent[HOST] / len(step.turns) * 1000:.1f} ms CPU, {step.failures} failed; others {step.others:.0%}",
        file=sys.stderr,
        flush=True,
    )
    return step


async def _chunks(plan: LoadPlan, crowd: Crowd, idle: Step, best: float) -> Figure:
    """What a chunk costs: the difference between long answers and short ones."""
    each = []
    for shape in (PACED, LONG):
        step = await crowd.hold(best / 4, plan.tried, shape)
        each.append((step.spent[HOST] - idle.spent[HOST] / idle.took * step.took) / len(step.turns) * 1000)
    chunk = (each[1] - each[0]) / (LONG.chunks - PACED.chunks)
    beside = f"a turn of {PACED.chunks}: {each[0]:.1f} ms, of {LONG.chunks}: {each[1]:.1f} ms, at {best / 4:.0f}/s"
    return Figure("CPU of the host per 1,000 chunks", f"{chunk * 1000:.0f} ms", "", beside)


async def _floor_cpu(floor: Floor) -> float:
    """Milliseconds of this process's CPU for one call of the floor, many at a time."""
    bodies = await floor.bodies(50)
    before = time.process_time()
    await floor.at_once(bodies)
    return (time.process_time() - before) / len(bodies) * 1000


def _section(outcome: Outcome, least: float) -> Section:
    best = outcome.best
    firsts = [one.first * 1000 for one in best.floor]
    tried = ", ".join(f"{step.rate:.0f}: {percentile(step.added, 99):+.0f}" for step in outcome.steps)
    host = outcome.each(HOST)
    rest = ", ".join(f"{name} {outcome.each(name):.2f} ms" for name in (REDIS, PROVIDER, CLIENT))
    return Section(
        f"{outcome.title} ({PACED.chunks} chunks in {PACED.seconds:.1f} s a turn)",
        [
            Figure("highest steady rate", f"{best.rate:.1f} turns/s", "", f"tried: p99 of the added ms at {tried}"),
            Figure(
                "added time to first token, p50 / p99",
                f"{median(best.added):+.0f} / {percentile(best.added, 99):+.0f} ms",
                f"{LIMIT:.0f} ms",
                f"floor {median(firsts):.1f} / {percentile(firsts, 99):.1f} ms; {len(best.turns)} turns, held",
            ),
            Figure("answers that did not come whole", str(best.failures), "0"),
            Figure(
                "CPU of the host per turn", f"{host:.1f} ms", "", f"{host / least:.1f} times the floor's {least:.1f}"
            ),
            Figure("  of PostgreSQL per turn", f"{outcome.each(DATABASE):.1f} ms", "", rest),
            Figure("  of the host, in cores", _share(best, HOST), "", _shares(best)),
            *outcome.figures,
        ],
    )


def _share(step: Step, name: str) -> str:
    return f"{step.spent[name] / step.took:.0%}"


def _shares(step: Step) -> str:
    """What all but the host used of a core; "others" are the programs that are no part of this."""
    parts = ", ".join(f"{name} {_share(step, name)}" for name in (DATABASE, REDIS, PROVIDER, CLIENT))
    return f"{parts}, others {step.others:.0%}"


def _compared(outcomes: list[Outcome]) -> Section:
    one, *others = outcomes
    return Section(
        "Beside one process",
        [
            Figure(
                other.title,
                f"{other.best.rate / one.best.rate:.2f} x the rate",
                "",
                f"{other.each(HOST) / one.each(HOST):.2f} x the host's CPU per turn",
            )
            for other in others
        ],
    )
