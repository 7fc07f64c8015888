"""What the host holds: memory of the idle process, of agents and of sockets; start; guard; installation."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import timeit
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

from agentcache import Baseline, Stamp, judge
from bench.client import Client
from bench.report import Figure, Section
from bench.site import Memory, Seed, Site
from bench.timing import median
from tests.processes import ROOT

UV = Path(sys.executable).with_name("uv")


async def idle(site: Site, seed: Seed, starts: list[float], demo: Memory) -> Section:
    """A host with the demo model, which `starts` and `demo` are of; then this one, before and after its first turn."""
    started = site.memory
    async with Client(site.url, seed.tokens[0]) as client:
        session_id = await client.open_new()
        took = (await client.turn(session_id)).first
    return Section(
        "The idle process",
        [
            Figure("start, to a healthy answer", f"{median(starts):.2f} s", "3 s"),
            Figure("memory, demo model", _memory(demo), "120 MB", _pss(demo)),
            Figure("memory, provider set", _memory(started), "120 MB", f"{_pss(started)}; with the provider's client"),
            Figure("memory, after the first turn", _memory(site.memory), "120 MB", _pss(site.memory)),
            Figure("first token of the first turn", f"{took * 1000:.0f} ms"),
        ],
    )


def _memory(memory: Memory) -> str:
    return f"{memory.rss:.0f} MB"


def _pss(memory: Memory) -> str:
    return f"PSS {memory.pss:.0f} MB"


async def agents(site: Site, seed: Seed, warm: int) -> Figure:
    """Resident memory for each user's agent, with a session of one turn; after `warm` users for the pools to fill."""
    users = seed.tokens[warm:]
    for token in seed.tokens[:warm]:
        await _one_turn(site, token)
    before = site.memory.rss
    for token in users:
        await _one_turn(site, token)
    each = (site.memory.rss - before) * 1024 / len(users)
    return Figure("memory of a cached agent, one short session", f"{each:.1f} kB", "", f"over {len(users):,} users")


async def _one_turn(site: Site, token: str) -> None:
    async with Client(site.url, token) as client:
        await client.turn(await client.open_new())


async def sockets(site: Site, seed: Seed, count: int) -> Figure:
    """Resident memory for each idle WebSocket."""
    async with AsyncExitStack() as stack:
        for _ in range(20):
            await stack.enter_async_context(Client(site.url, seed.tokens[0]))
        before = site.memory.rss
        for _ in range(count):
            await stack.enter_async_context(Client(site.url, seed.tokens[0]))
        each = (site.memory.rss - before) * 1024 / count
    return Figure("memory of an idle WebSocket", f"{each:.1f} kB", "", f"over {count:,}")


def guard() -> Figure:
    """The verdict of a turn in a session that nobody else touched."""
    baseline, live = Baseline("session", Stamp(2_000, 2_003)), Stamp(2_000, 2_003)
    times = 100_000
    took = min(timeit.repeat(lambda: judge(baseline, "session", live), number=times, repeat=5)) / times
    return Figure("verdict of the guard", f"{took * 1e6:.2f} us")


def install() -> Section:
    """The runtime set into a fresh environment by uv; a first, unmeasured one warms its cache."""
    with tempfile.TemporaryDirectory(prefix="hermes-bench-") as folder:
        _install(Path(folder) / "first")
        began = perf_counter()
        _install(Path(folder) / "second")
        took = perf_counter() - began
        size = _size(Path(folder) / "second")
    return Section(
        "Runtime install",
        [
            Figure("time, uv, warm cache", f"{took:.1f} s", "30 s"),
            Figure("size, without bytecode", f"{size:.0f} MB", "250 MB"),
        ],
    )


def _install(environment: Path) -> None:
    subprocess.run([UV, "--quiet", "venv", "--python", sys.executable, environment], check=True)
    target: list[str | Path] = ["--python", environment / "bin" / "python", "--require-hashes"]
    subprocess.run([UV, "--quiet", "pip", "sync", *target, ROOT / "requirements.txt"], check=True)


def _size(folder: Path) -> float:
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir()) / 1e6
