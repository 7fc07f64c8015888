"""Warm prompts on a real engine: this host, hosts as others build them, and the floor, side by side.

Each variant plays each workload against an engine process of its own that has read nothing yet. Tokens are counted by
the engine. The floor is an ideal client: it sends the transcripts that the first variant's sessions had at each turn.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.report import Figure, Section
from bench.site import SERVE, Seed, World
from bench.stage import Stage
from bench.timing import median
from bench.workloads import WORKLOADS, Size, Workload
from sessions_app.llm.cache_ledger.causes import Cause
from tests.databases import Database
from tests.engine import model
from tests.engine.ideal import Body, Ideal, key
from tests.engine.server import Count, Engine

HERE = "this host"
_WORST = "  eager and unfrozen"
HOSTS = {
    HERE: SERVE,
    "  eager: agent made anew at each switch": ("-m", "bench.variants", "eager", "serve"),
    "  unfrozen: clock in the system prompt": ("-m", "bench.variants", "clock", "serve"),
    _WORST: ("-m", "bench.variants", "eager,clock", "serve"),
}
SUMMARISING_HOSTS = {
    HERE: SERVE,
    "  fresh: summary by a prompt of its own, kept in the system prompt": (
        "-m",
        "bench.variants",
        "fresh",
        "serve",
    ),
}
FLOOR = "the floor: an ideal client"
GOAL = 1.01
"""Evaluated tokens, in floors."""

_MISSES = "SELECT miss FROM sessions_app_turn WHERE chat_session_id = %s AND miss <> ''"


@dataclass(frozen=True, slots=True)
class CachePlan:
    """How much is played, by which hosts; this one is the first."""

    size: Size
    hosts: Mapping[str, Sequence[str]]


FULL = CachePlan(Size(long=40, turns=12, restarts=4, users=20), HOSTS)
QUICK = CachePlan(
    Size(long=8, turns=6, restarts=1, users=6, about_document=6), {name: HOSTS[name] for name in (HERE, _WORST)}
)


@dataclass(frozen=True, slots=True)
class Played:
    """A workload as one variant played it: what the engine counted, seconds to each first token, and for a host what
    its ledger says, how many requests it made once more, and how many answers did not come whole."""

    count: Count
    firsts: list[float]
    misses: Counter[str]
    again: int = 0
    failures: int = 0


async def compared(plan: CachePlan, folder: Path) -> list[Section]:
    """All workloads, in all variants."""
    path = folder / f"{model.NAME}.gguf"
    model.write(path)
    world = World(folder, "")
    seed = world.seed(plan.size.users)
    return [await _section(workload, plan, path, world, seed) for workload in WORKLOADS]


async def _section(workload: Workload, plan: CachePlan, path: Path, world: World, seed: Seed) -> Section:
    played: dict[str, Played] = {}
    hosts = SUMMARISING_HOSTS if workload.summaries else plan.hosts
    for name, program in hosts.items():
        played[name], requests = await _hosted(workload, plan.size, path, world, seed, program)
        if name == HERE:
            floor = _ideal(path, requests)
    played[FLOOR] = floor
    section = Section(workload.title(plan.size), [_figure(name, one, floor) for name, one in played.items()])
    print(section.title, *(f"{one.name.strip()}: {one.value}" for one in section.figures), sep="; ", file=sys.stderr)
    return section


async def _hosted(
    workload: Workload, size: Size, path: Path, world: World, seed: Seed, program: Sequence[str]
) -> tuple[Played, list[list[Body]]]:
    with closing(Engine(path)) as engine:
        stage = Stage(
            start=lambda: world.site(program, OPENAI_BASE_URL=engine.url),
            tokens=seed.tokens if workload.crowded else seed.tokens[:1],
            database=Database(world.env["DATABASE_URL"]),
            hosts=workload.hosts,
        )
        await stage.open()
        try:
            await workload.play(stage, size)
        finally:
            await stage.close()
        played = Played(
            engine.count(),
            [turn.first for turn in stage.turns],
            Counter(miss for chat in stage.chats for (miss,) in stage.database.run(_MISSES, key(chat.session_id))),
            stage.again,
            sum(not turn.whole for turn in stage.turns),
        )
        return played, stage.requests


def _ideal(path: Path, requests: list[list[Body]]) -> Played:
    with closing(Engine(path)) as engine, ThreadPoolExecutor(max(map(len, requests))) as threads:
        ideal = Ideal(engine.url)
        heard = [one for at_once in requests for one in threads.map(ideal.ask, at_once)]
        failures = sum(one.text != model.LETTERS for one in heard)
        return Played(engine.count(), [one.first for one in heard], Counter(), failures=failures)


def _figure(name: str, played: Played, floor: Played) -> Figure:
    count = played.count
    parts = [
        f"{count.evaluated:,} evaluated of {count.sent:,} sent",
        f"first token {median(played.firsts) * 1000:.0f} ms",
        *(f"{times} x {Cause(miss).sentence}" for miss, times in played.misses.most_common()),
    ]
    if played.again:
        parts.append(f"{played.again} asked again")
    if played.failures:
        parts.append(f"{played.failures} answers not whole")
    goal = f"{GOAL:.2f} x" if name == HERE else ""
    return Figure(name, f"{count.evaluated / floor.count.evaluated:.3f} x", goal, "; ".join(parts))
