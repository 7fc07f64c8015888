"""Where a turn's CPU goes: py-spy samples a real host from outside while it serves turns.

A sample is one thread that was running, with its stack. In a database thread it belongs to the piece of work that
the thread was given. In the event loop it belongs to the innermost frame of a layer: what the standard library or
Pydantic does is charged to whoever called it.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.client import Client
from bench.report import Figure, Section
from bench.site import Seed, Site
from bench.turns import WARM_UP

PY_SPY = Path(sys.executable).with_name("py-spy")
RATE = 250
REST = "event loop, rest"
# Where a thread that waits for work stands; py-spy takes some of these for running ones.
_WAITS = ("_worker (concurrent/futures/thread.py:81)", "EpollSelector.select (selectors.py:468)")

# Work of a database thread, by the function that a stack holds; the first that fits.
_WORK = [
    ("database: commits, the wait for the disk included", r"_commit \(django/db/backends"),
    ("database: is the caller still authorised", r"holds \(sessions_app/api/auth"),
    ("database: turn.start (claim, turn, message)", r"ask \(sessions_app/turns/asking"),
    ("database: end of the turn", r"end \(sessions_app/turns/ending"),
    ("database: transactions, threads, wake-ups", r"^[^;]*;?database-"),
]
# Layers of the event loop, by where a frame's file is.
_LAYERS = [
    ("AG-UI events", r"ag_ui/|sessions_app/turns/stream"),
    ("hub, encoding, outbox", r"sessions_app/(turns/hub|shapes|api/outbox)"),
    ("agents: batches and splicing", r"sessions_app/agents/(batches|wire)"),
    ("agents: the rest", r"sessions_app/agents/"),
    ("Pydantic AI", r"pydantic_ai/|pydantic_graph/|genai_prices/|opentelemetry/"),
    ("provider's SDK", r"openai/|anthropic/"),
    ("httpx2, httpcore2, h11, anyio", r"httpx2/|httpcore2/|h11/|anyio/|sniffio/"),
    ("guard and agent cache", r"agentcache/|sessions_app/turns/(memory|pool)"),
    ("runner", r"sessions_app/turns/"),
    ("API: frames, methods, lanes", r"sessions_app/api/"),
    ("hops to the database threads", r"sessions_app/database|concurrent/futures"),
    ("Channels, asgiref", r"channels/|asgiref/"),
    (
        "Daphne, Twisted, autobahn",
        r"daphne/|autobahn/|txaio/|hermes_site/(websocket|proxy|origin)|twisted/(?!.*asyncioreactor)",
    ),
]


def layer_of(stack: str) -> str:
    """The layer of one sample: frames as `function (file:line)`, outermost first, joined by semicolons."""
    for name, pattern in _WORK:
        if re.search(pattern, stack):
            return name
    for frame in reversed(stack.split(";")):
        for name, pattern in _LAYERS:
            if re.search(rf"\(({pattern})", frame):
                return name
    return REST


def summary(lines: Iterable[str], milliseconds: float) -> list[Figure]:
    """Shares of `milliseconds` of CPU, the largest first, from py-spy's raw output."""
    samples: Counter[str] = Counter()
    for line in lines:
        stack, _, times = line.rpartition(" ")
        if not stack.endswith(_WAITS):
            samples[layer_of(stack)] += int(times)
    total = sum(samples.values())
    return [
        Figure(name, f"{milliseconds * times / total:.2f} ms", "", f"{times / total:.0%}")
        for name, times in samples.most_common()
    ]


async def profile(site: Site, seed: Seed, folder: Path, count: int) -> Section:
    """`count` turns unobserved, for their CPU; then as many under py-spy, for its shares."""
    async with Client(site.url, seed.tokens[0]) as client:
        session_id = await client.open_new()
        for _ in range(WARM_UP):
            await client.turn(session_id)
        before = site.cpu
        for _ in range(count):
            await client.turn(session_id)
        milliseconds = (site.cpu - before) / count * 1000
        raw = folder / "samples"
        spy = _watch(site, raw)
        for _ in range(count):
            await client.turn(session_id)
        spy.send_signal(signal.SIGINT)
        spy.wait()
    figures = summary(raw.read_text().splitlines(), milliseconds)
    return Section(f"CPU of a turn: {milliseconds:.1f} ms ({count} turns)", figures)


def _watch(site: Site, raw: Path) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [PY_SPY, "record", "--pid", str(site.process.pid), "--output", raw]
    shape = ["--threads", "--format", "raw", "--rate", str(RATE), "--duration", "3600"]
    return subprocess.Popen([*command, *shape], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
