"""Where a turn's CPU goes: py-spy samples a real host from outside while it serves turns.

A sample is one thread that was running, with its stack. py-spy takes a tenth of the waiting ones for running, and
there are more threads that wait than threads that run: so the samples of a thread share what CPU it really used, by
the kernel's own account. In a database thread it belongs to the piece of work that
the thread was given. In the event loop it belongs to the innermost frame of a layer: what the standard library or
Pydantic does is charged to whoever called it.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from bench.client import Client
from bench.crowd import PACED, Crowd
from bench.report import Figure, Section
from bench.site import Seed, Site
from bench.turns import WARM_UP

PY_SPY = Path(sys.executable).with_name("py-spy")
RATE = 250
REST = "event loop, rest"
# Where a thread stands that waits for work.
_WAITS = (
    "_worker (concurrent/futures/thread.py:81)",
    "EpollSelector.select (selectors.py:468)",
    "AsyncioSelectorReactor.run (twisted/internet/asyncioreactor.py:257)",  # uvloop's loop, which is no Python
    "Condition.wait (threading.py:331)",
    "Condition.wait (threading.py:327)",
)

_DATABASE = r"^[^;]*;?database-"

# Work of a database thread, by the function that a stack holds; the first that fits.
_WORK = [
    ("database: commits, the wait for the disk included", r"_commit \(django/db/backends"),
    ("database: is the caller still authorised", r"holds \(sessions_app/api/auth"),
    ("database: turn.start (claim, turn, message)", r"ask \(sessions_app/turn_store/asking"),
    ("database: end of the turn", r"end \(sessions_app/turn_store/ending"),
    ("database: heartbeats, and looks at what others run", r"(beat|look) \(sessions_app/turns/"),
    ("database: transactions, threads, wake-ups", _DATABASE),
]
# The same samples by what a statement goes through, outermost first.
_PARTS = [
    ("commit", r"_commit \(django/db/backends"),
    ("connection: from the pool, back, its settings", r"psycopg_pool/|connect \(django|close \(django|init_connection"),
    ("driver, and the wait for an answer", r"psycopg/|sqlite3/"),
    ("Django: execute, wrappers, fetch", r"django/db/backends/utils"),
    ("Django: compile, models, signals", r"django/db/"),
]
# Layers of the event loop, by where a frame's file is.
_LAYERS = [
    ("AG-UI events", r"ag_ui/|sessions_app/realtime/run_events"),
    ("delivery, encoding, outbox", r"sessions_app/(turns/(delivery|notices|subscriptions)|shapes|api/outbox)"),
    ("llm: batches and splicing", r"sessions_app/llm/(batches|wire)"),
    ("llm: the rest", r"sessions_app/llm/"),
    ("Pydantic AI", r"pydantic_ai/|pydantic_graph/|genai_prices/|opentelemetry/"),
    ("provider's SDK", r"openai/|anthropic/"),
    ("httpx2, httpcore2, h11, anyio", r"httpx2/|httpcore2/|h11/|anyio/|sniffio/"),
    ("guard and agent cache", r"agentcache/|sessions_app/turns/(memory|pool)"),
    ("bus, Redis", r"sessions_app/turns/(bus|feed|remote_runs)|channels_redis/|redis/|hermes_site/redis_layer"),
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


def part_of(stack: str) -> str | None:
    """What a sample of a database thread was about; None for another thread's."""
    if not re.search(_DATABASE, stack):
        return None
    return next((name for name, pattern in _PARTS if re.search(pattern, stack)), "the rest")


def weighed(lines: Iterable[str], spent: dict[int, float]) -> list[tuple[str, float]]:
    """py-spy's raw output as (stack, share of all that was spent); `spent` is CPU by thread."""
    samples: list[tuple[int, str, int]] = []
    counts: Counter[int] = Counter()
    for line in lines:
        stack, _, times = line.rpartition(" ")
        if not stack.endswith(_WAITS):
            thread = int(stack[len("thread (") : stack.index(")")])
            samples.append((thread, stack, int(times)))
            counts[thread] += int(times)
    total = sum(spent.get(thread, 0.0) for thread in counts)
    return [(stack, spent.get(thread, 0.0) / total * times / counts[thread]) for thread, stack, times in samples]


def summary(
    samples: Iterable[tuple[str, float]], milliseconds: float, kind: Callable[[str], str | None]
) -> list[Figure]:
    """Shares of `milliseconds` of CPU, the largest first; samples of no kind are left out."""
    shares: defaultdict[str, float] = defaultdict(float)
    for stack, share in samples:
        if (name := kind(stack)) is not None:
            shares[name] += share
    return [
        Figure(name, f"{milliseconds * share:.2f} ms", "", f"{share:.0%}")
        for name, share in sorted(shares.items(), key=lambda one: -one[1])
    ]


async def one_at_a_time(site: Site, seed: Seed, folder: Path, count: int) -> list[Section]:
    """`count` turns of one session unobserved, for their CPU; then as many under py-spy, for its shares."""
    async with Client(site.url, seed.tokens[0]) as client:
        session_id = await client.open_new()

        async def turns(times: int) -> int:
            for _ in range(times):
                await client.turn(session_id)
            return times

        await turns(WARM_UP)
        return await _profile(site, folder, lambda: turns(count))


async def many(site: Site, crowd: Crowd, folder: Path, rate: float, seconds: float) -> list[Section]:
    """The same for `rate` turns a second, their chunks at a provider's pace."""

    async def turns() -> int:
        return len((await crowd.hold(rate, seconds, PACED)).turns)

    return await _profile(site, folder, turns)


async def _profile(site: Site, folder: Path, turns: Callable[[], Awaitable[int]]) -> list[Section]:
    before = site.cpu
    count = await turns()
    milliseconds = (site.cpu - before) / count * 1000
    raw = folder / "samples"
    threads = _threads(site)
    spy = _watch(site, raw)
    await turns()
    spent = {thread: seconds - threads.get(thread, 0.0) for thread, seconds in _threads(site).items()}
    spy.send_signal(signal.SIGINT)
    spy.wait()
    samples = weighed(raw.read_text().splitlines(), spent)
    return [
        Section(f"CPU of a turn: {milliseconds:.1f} ms ({count} turns)", summary(samples, milliseconds, layer_of)),
        Section("The database threads among it", summary(samples, milliseconds, part_of)),
    ]


def _threads(site: Site) -> dict[int, float]:
    """Seconds of CPU that each thread has used."""
    tasks = Path(f"/proc/{site.process.pid}/task").iterdir()
    return {int(task.name): int((task / "schedstat").read_text().split()[0]) / 1e9 for task in tasks}


def _watch(site: Site, raw: Path) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [PY_SPY, "record", "--pid", str(site.process.pid), "--output", raw]
    shape = ["--threads", "--format", "raw", "--rate", str(RATE), "--duration", "3600"]
    return subprocess.Popen([*command, *shape], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
