"""A turn with a tool of an MCP server on loopback: `python -m bench tools`.

One with the calculator beside it, by turns, and the same call by the SDK's client alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

import mcp

from bench.client import Client
from bench.provider import CALLS, Provider, ToolShape
from bench.report import Figure, Section
from bench.site import Site, World
from bench.timing import Timing, median, percentile
from bench.turns import WARM_UP
from tests.processes import ROOT, Process

BUILT_IN, SERVERS = CALLS


async def of_a_server(count: int, folder: Path, provider: Provider) -> list[Section]:
    """End and CPU of a turn with a tool: ours, and a server's."""
    world = World(folder, provider.url)
    seed = world.seed(1)
    server = Process([sys.executable, "-m", "tests.tool_servers.python_server"])
    try:
        url = f"http://127.0.0.1:{server.line('listening on').rpartition(' ')[2]}/mcp"
        _add(world, url)
        with world.site() as site:
            async with Client(site.url, seed.tokens[0]) as client, _direct(url) as direct:
                return [await _section(count, site, client, direct)]
    finally:
        server.kill()


def _add(world: World, url: str) -> None:
    command = [
        sys.executable,
        "manage.py",
        "mcp_server",
        "python",
        "--url",
        url,
        "--profiles",
        "Default",
        "--allow",
        "add",
    ]
    subprocess.run(command, cwd=ROOT, env=world.env, check=True, stdout=subprocess.DEVNULL)


@asynccontextmanager
async def _direct(url: str) -> AsyncIterator[mcp.Client]:
    async with mcp.Client(url) as client:
        yield client


async def _section(count: int, site: Site, client: Client, direct: mcp.Client) -> Section:
    sessions = {tool: await client.open_new() for tool in CALLS}
    turns: dict[str, list[Timing]] = {tool: [] for tool in CALLS}
    cpu: dict[str, list[float]] = {tool: [] for tool in CALLS}
    calls: list[float] = []
    calls_cpu: list[float] = []
    for number in range(WARM_UP + count):
        for tool, session_id in sessions.items():
            before = site.cpu
            timing = await client.turn(session_id, ToolShape(tool))
            if number >= WARM_UP:
                turns[tool].append(timing)
                cpu[tool].append(site.cpu - before)
        began, used = perf_counter(), _own_cpu()
        await direct.call_tool("add", {"a": 6, "b": 36})
        if number >= WARM_UP:
            calls.append(perf_counter() - began)
            calls_cpu.append(_own_cpu() - used)
    return _told(count, turns, cpu, calls, calls_cpu)


def _own_cpu() -> float:
    times = os.times()
    return times.user + times.system


def _told(
    count: int,
    turns: dict[str, list[Timing]],
    cpu: dict[str, list[float]],
    calls: list[float],
    calls_cpu: list[float],
) -> Section:
    ends = {tool: [one.end for one in timings] for tool, timings in turns.items()}
    added = [theirs - ours for theirs, ours in zip(ends[SERVERS], ends[BUILT_IN], strict=True)]
    call, more = median(calls), median(added)
    cpu_call, cpu_more = _mean(calls_cpu), _mean(cpu[SERVERS]) - _mean(cpu[BUILT_IN])
    failures = sum(not one.whole for timings in turns.values() for one in timings)
    return Section(
        f"A turn with a tool ({count} turns each)",
        [
            Figure(
                "the call by the SDK's client alone, p50 / p99", _both(calls), "", f"{cpu_call * 1000:.1f} ms of CPU"
            ),
            Figure("end of a turn with the calculator, p50 / p99", _both(ends[BUILT_IN])),
            Figure("end of a turn with the server's tool, p50 / p99", _both(ends[SERVERS])),
            Figure(
                "  more than with the calculator, p50",
                f"{more * 1000:.1f} ms",
                "",
                f"{more / call:.2f} x the call alone",
            ),
            Figure("CPU of the process per turn, with the calculator", f"{_mean(cpu[BUILT_IN]) * 1000:.1f} ms"),
            Figure(
                "  more with the server's tool",
                f"{cpu_more * 1000:.1f} ms",
                "",
                f"{cpu_more / cpu_call:.2f} x the call alone",
            ),
            Figure("answers that did not come whole", str(failures), "0"),
        ],
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _both(values: list[float]) -> str:
    return f"{median(values) * 1000:.1f} / {percentile(values, 99) * 1000:.1f} ms"
