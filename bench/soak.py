"""`python -m bench soak`: whether an adversary makes the others wait, and whether anything grows.

Three runs over two processes, PostgreSQL and Redis, each with new processes and a new database: 500 users who come and
go, first alone, then with an adversary at another host on the same machine, then with the adversary among them. All
share the cores, the adversary's own program too: what the second run costs the users is the machine's, and what the
third costs beyond it is the host's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Literal

from bench.hosts import PROCESSES, Host, Mark, mark, start
from bench.provider import Provider
from bench.report import Figure, Section
from bench.services import machine_seconds
from bench.site import Site
from bench.timing import Timing, median, percentile
from bench.visitors import Visitors
from tests.processes import ROOT

USERS = 500
# Visits a second, and the seconds that one lasts beside its answer. Two cores are a quarter in use by it.
RATE, STAY = 4.0, 30.0
# Visits a second while the pools fill and every user's agent is made; nothing of it counts.
WARMING_RATE = 8.0
# Seconds in which a host lets go of what clients have left.
SETTLING = 15.0

Place = Literal["nowhere", "elsewhere", "here"]
"""Where the adversary is: elsewhere is another host, with a database and a Redis of its own."""
TITLES: dict[Place, str] = {
    "nowhere": "The users alone",
    "elsewhere": "With an adversary at another host of this machine",
    "here": "With an adversary among them",
}


@dataclass(slots=True)
class Run:
    """One of the three: the visits' turns, marks of each process at each minute, and at rest before and after.

    `cores` are what all programs had in use; `parts` how many of them each part that is known.
    """

    turns: list[Timing] = field(default_factory=list)
    minutes: list[list[Mark]] = field(default_factory=list)
    rest: list[list[Mark]] = field(default_factory=list)
    cores: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    errors: int = 0
    done: dict[str, int] = field(default_factory=dict)

    @property
    def first(self) -> list[float]:
        """Milliseconds to the first token."""
        return [one.first * 1000 for one in self.turns]

    @property
    def failures(self) -> int:
        return sum(not one.whole for one in self.turns)


async def soak(minutes: float, folder: Path, provider: Provider) -> list[Section]:
    """The runs, and how they compare."""
    runs = {place: await _run(minutes, folder, provider, place) for place in TITLES}
    sections = [_section(TITLES[place], run) for place, run in runs.items()]
    alone, elsewhere, here = runs.values()
    compared = [
        Figure("adversary at another host / nobody", _ratios(elsewhere, alone)),
        Figure("adversary among them / nobody", _ratios(here, alone), "p99 2 x"),
        Figure("adversary among them / at another host", _ratios(here, elsewhere)),
    ]
    return [*sections, Section("First token, p50 / p99, beside each other", compared)]


def _ratios(run: Run, other: Run) -> str:
    p50, p99 = [percentile(run.first, percent) / percentile(other.first, percent) for percent in (50, 99)]
    return f"{p50:.2f} / {p99:.2f} x"


async def _run(minutes: float, folder: Path, provider: Provider, place: Place) -> Run:
    run = Run()
    with ExitStack() as stack:
        host, tokens = start(stack, folder, provider, USERS + 1)
        attacked = host if place == "here" else None
        if place == "elsewhere":
            attacked, _ = start(stack, folder, provider, USERS + 1, "_another")
        visitors = Visitors([site.url for site in host.sites], tokens[:USERS])
        clocks = {"provider": lambda: provider.cpu, "visitors": process_time}
        await _soaked(run, minutes, visitors, host, attacked, clocks)
    # Now they have stopped, and said all.
    run.errors = sum(" ERROR " in line for site in host.sites for line in site.process.output)
    return run


async def _soaked(
    run: Run,
    minutes: float,
    visitors: Visitors,
    host: Host,
    attacked: Host | None,
    clocks: dict[str, Callable[[], float]],
) -> None:
    await visitors.come(WARMING_RATE, USERS / WARMING_RATE, stay=0)
    await _rest(run, host.sites)
    visitors.turns.clear()
    marking = asyncio.create_task(_mark_minutes(run, host.sites, visitors))
    raging = asyncio.create_task(_rage(run, minutes * 60, attacked)) if attacked else None
    other = attacked if attacked is not host else None
    began, machine, before = perf_counter(), machine_seconds(), _spent(host, other, clocks)
    await visitors.come(RATE, minutes * 60, STAY)
    took = perf_counter() - began
    run.cores = (machine_seconds() - machine) / took
    run.parts = {part: (now - before[part]) / took for part, now in _spent(host, other, clocks).items()}
    marking.cancel()
    if raging:
        run.parts["adversary"] = await raging / took
    await _rest(run, host.sites)
    run.turns = visitors.turns


def _spent(host: Host, other: Host | None, clocks: dict[str, Callable[[], float]]) -> dict[str, float]:
    spent = {part: clock() for part, clock in clocks.items()} | host.spent()
    # One PostgreSQL serves both hosts, and is counted once.
    beside = {f"the other's {part}": seconds for part, seconds in other.spent().items()} if other else {}
    beside.pop("the other's PostgreSQL, Redis", None)
    return spent | beside


async def _rest(run: Run, sites: list[Site]) -> None:
    await asyncio.sleep(SETTLING)
    run.rest.append([mark(site) for site in sites])


async def _mark_minutes(run: Run, sites: list[Site], visitors: Visitors) -> None:
    while True:
        run.minutes.append([mark(site) for site in sites])
        print(f"minute {len(run.minutes) - 1}: {len(visitors.turns):,} turns", file=sys.stderr, flush=True)
        await asyncio.sleep(60)


async def _rage(run: Run, seconds: float, host: Host) -> float:
    """Let the adversary loose; return the CPU seconds of its own program."""
    command = [sys.executable, "-m", "bench.adversary", str(seconds), host.token, *(site.url for site in host.sites)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    run.done, spent = json.loads(told)
    return float(spent)


def _section(title: str, run: Run) -> Section:
    did = ", ".join(f"{what}: {times:,}" for what, times in sorted(run.done.items()))
    figures = [
        Figure("first token, p50 / p99", f"{median(run.first):.0f} / {percentile(run.first, 99):.0f} ms"),
        Figure("turns that failed", f"{run.failures} of {len(run.turns):,}", "0"),
        Figure("lines at ERROR", str(run.errors), "0"),
        Figure("cores in use, by all programs", f"{run.cores:.2f}", "", _by_part(run)),
        *(figure for number in range(PROCESSES) for figure in _held(run, number)),
    ]
    return Section(title, [*figures, Figure("what the adversary did", str(sum(run.done.values())), "", did)])


def _by_part(run: Run) -> str:
    return ", ".join(f"{part}: {cores:.2f}" for part, cores in run.parts.items())


def _most(numbers: Iterable[int]) -> str:
    return f"at most {max(numbers)} at a minute's mark"


def _held(run: Run, number: int) -> list[Figure]:
    """What a process holds, and what of it has grown."""
    marks = [minute[number] for minute in run.minutes]
    before, after = (marks[number] for marks in run.rest)
    # The first five minutes do not count, of a short run the first third: caches and pools still fill.
    settled = marks[min(5, len(marks) // 3) :]
    minutes = max(1, len(settled) - 1)
    growth = (settled[-1].memory - settled[0].memory) / minutes * 10
    each = " ".join(f"{mark.memory:.1f}" for mark in marks)
    workers = " ".join(f"{mark.workers:.0f}" for mark in marks)
    name = f"process {number + 1}"
    return [
        Figure(f"{name}: memory, growth in ten minutes", f"{growth:+.1f} MB", "1 MB", f"each minute: {each} MB"),
        Figure(
            "  before, and after all have left",
            f"{before.memory:.1f}, {after.memory:.1f} MB",
            "",
            f"workers each minute: {workers} MB",
        ),
        Figure(
            "  files, before and after",
            f"{before.files}, {after.files}",
            "the same",
            _most(mark.files for mark in marks),
        ),
        Figure(
            "  threads, before and after",
            f"{before.threads}, {after.threads}",
            "the same",
            _most(mark.threads for mark in marks),
        ),
    ]
