"""`python -m bench soak`: whether an adversary makes the others wait, and whether anything grows.

Two runs over two processes, PostgreSQL and Redis, each with new processes and a new database: 500 users who come and
go, first alone and then with the adversary among them.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from bench.provider import Provider
from bench.report import Figure, Section
from bench.services import machine_seconds, services
from bench.site import Site, World
from bench.timing import Timing, median, percentile
from bench.visitors import Visitors
from tests.processes import ROOT

USERS, PROCESSES = 500, 2
# Visits a second, and the seconds that one lasts beside its answer. Two cores are a quarter in use by it.
RATE, STAY = 4.0, 30.0
# Visits a second while the pools fill and every user's agent is made; nothing of it counts.
WARMING_RATE = 8.0
# Seconds in which a host lets go of what clients have left.
SETTLING = 15.0


@dataclass(frozen=True, slots=True)
class Mark:
    """What a process holds at a moment: MB, its workers' beside it; open files; threads."""

    memory: float
    workers: float
    files: int
    threads: int


@dataclass(slots=True)
class Run:
    """One of the two: the visits' turns, marks of each process at each minute, and at rest before and after."""

    turns: list[Timing] = field(default_factory=list)
    minutes: list[list[Mark]] = field(default_factory=list)
    rest: list[list[Mark]] = field(default_factory=list)
    cores: float = 0.0
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
    """Both runs, and how they compare."""
    alone, among = [await _run(minutes, folder, provider, adversary) for adversary in (False, True)]
    ratio = [percentile(among.first, percent) / percentile(alone.first, percent) for percent in (50, 99)]
    compared = Figure("first token, p50 / p99", f"{ratio[0]:.2f} / {ratio[1]:.2f} x", "p99 2 x")
    sections = [_section("The users alone", alone), _section("With an adversary among them", among)]
    return [*sections, Section("With the adversary, beside without", [compared])]


async def _run(minutes: float, folder: Path, provider: Provider, adversary: bool) -> Run:
    run = Run()
    with services() as running:
        world = World(folder, provider.url, running)
        seed = world.seed(USERS + 1)
        settings = {"HERMES_TURNS_PER_MINUTE": "", "HERMES_SIGNUP": "open"}
        with ExitStack() as stack:
            sites = [stack.enter_context(world.site(**settings)) for _ in range(PROCESSES)]
            visitors = Visitors([site.url for site in sites], seed.tokens[:USERS])
            await _soaked(run, minutes, visitors, sites, seed.tokens[USERS] if adversary else "")
        run.errors = sum(" ERROR " in line for site in sites for line in site.process.output)
    return run


async def _soaked(run: Run, minutes: float, visitors: Visitors, sites: list[Site], token: str) -> None:
    await visitors.come(WARMING_RATE, USERS / WARMING_RATE, stay=0)
    await _rest(run, sites)
    visitors.turns.clear()
    marking = asyncio.create_task(_mark_minutes(run, sites, visitors))
    raging = asyncio.create_task(_rage(run, minutes * 60, token, sites)) if token else None
    began, machine = perf_counter(), machine_seconds()
    await visitors.come(RATE, minutes * 60, STAY)
    run.cores = (machine_seconds() - machine) / (perf_counter() - began)
    marking.cancel()
    if raging:
        await raging
    await _rest(run, sites)
    run.turns = visitors.turns


async def _rest(run: Run, sites: list[Site]) -> None:
    await asyncio.sleep(SETTLING)
    run.rest.append([_mark(site) for site in sites])


async def _mark_minutes(run: Run, sites: list[Site], visitors: Visitors) -> None:
    while True:
        run.minutes.append([_mark(site) for site in sites])
        print(f"minute {len(run.minutes) - 1}: {len(visitors.turns):,} turns", file=sys.stderr, flush=True)
        await asyncio.sleep(60)


async def _rage(run: Run, seconds: float, token: str, sites: Sequence[Site]) -> None:
    command = [sys.executable, "-m", "bench.adversary", str(seconds), token, *(site.url for site in sites)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    run.done = json.loads(told)


def _mark(site: Site) -> Mark:
    folder = Path(f"/proc/{site.process.pid}")
    tasks = list((folder / "task").iterdir())
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    workers = sum(_rss(Path(f"/proc/{child}")) for child in children)
    return Mark(_rss(folder), workers, len(list((folder / "fd").iterdir())), len(tasks))


def _rss(folder: Path) -> float:
    """MB; 0 of a process that has gone."""
    try:
        return int((folder / "statm").read_text().split()[1]) * 4096 / 2**20
    except FileNotFoundError:
        return 0.0


def _section(title: str, run: Run) -> Section:
    did = ", ".join(f"{what}: {times:,}" for what, times in sorted(run.done.items()))
    figures = [
        Figure("first token, p50 / p99", f"{median(run.first):.0f} / {percentile(run.first, 99):.0f} ms"),
        Figure("turns that failed", f"{run.failures} of {len(run.turns):,}", "0"),
        Figure("lines at ERROR", str(run.errors), "0"),
        Figure("cores in use, by all programs", f"{run.cores:.2f}"),
        *(figure for number in range(PROCESSES) for figure in _held(run, number)),
    ]
    return Section(title, [*figures, Figure("what the adversary did", str(sum(run.done.values())), "", did)])


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
