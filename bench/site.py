"""The host under test: a real `manage.py serve` on a database of its own, and what it costs the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from bench.provider import MODEL
from bench.services import Services
from bench.timing import cpu_of, median
from tests.processes import PATIENCE, ROOT, Process

SERVE = ("manage.py", "serve")
IDLE_SHARE = 0.1
"""Of a core: a host that uses less does nothing but look around."""


@dataclass(frozen=True, slots=True)
class Memory:
    """MB of a process: resident, and resident with shared pages divided among those that share them."""

    rss: float
    pss: float


@dataclass(frozen=True, slots=True)
class Seed:
    """What the database was filled with: a token for each user, the sessions of the first one."""

    tokens: list[str]
    sessions: list[str]


def python_of(root: Path) -> str:
    """The Python that runs a checkout: this one, or that of its own environment."""
    return sys.executable if root == ROOT else str(root / ".venv" / "bin" / "python")


def sync_time(folder: Path, times: int = 50) -> float:
    """Median seconds in which this disk makes one page durable, as each of a turn's two transactions asks it to."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return median(took)


class World:
    """A database, and the environment in which a host serves it from the provider at `url`.

    On SQLite in `folder`, or on what `services` names. The host is that of the checkout at `root`.
    """

    def __init__(self, folder: Path, url: str, services: Services | None = None, root: Path = ROOT) -> None:
        self.root = root
        self.env = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": services.database if services else f"sqlite:///{folder / 'db.sqlite3'}",
            "REDIS_URL": services.redis if services else "",
            "SECRET_KEY": "bench-only",
            "HERMES_MODEL": f"openai-chat:{MODEL}",
            "HERMES_TURNS_PER_MINUTE": "1000000",
            "OPENAI_BASE_URL": url,
            "OPENAI_API_KEY": "loopback",
        }

    def seed(self, users: int, lengths: Sequence[int] = ()) -> Seed:
        """Fill the empty database."""
        command = [python_of(self.root), "-m", "bench.seed", str(users), *map(str, lengths)]
        done = subprocess.run(command, cwd=self.root, env=self.env, check=True, stdout=subprocess.PIPE)
        return Seed(**json.loads(done.stdout))

    @contextmanager
    def site(self, program: Sequence[str] = SERVE, **env: str) -> Iterator[Site]:
        """A running host, with other settings where given; stopped at the end."""
        site = Site(program, {**self.env, **env}, self.root)
        try:
            yield site
        finally:
            site.process.stop()


class Site:
    """A running host; `started` is the seconds from its spawn to its first healthy answer."""

    def __init__(self, program: Sequence[str], env: dict[str, str], root: Path = ROOT) -> None:
        began = time.perf_counter()
        self.process = Process([python_of(root), *program, "--port", "0"], env, root)
        self.url = next(word for word in self.process.line("http://").split() if word.startswith("http://"))
        _await_health(f"{self.url}healthz")
        self.started = time.perf_counter() - began

    @property
    def cpu(self) -> float:
        """Seconds of CPU that all threads of the process have used."""
        return cpu_of(self.process.pid)

    def settle(self) -> None:
        """Wait until it has indexed what the database was filled with: until it does nothing more for a second."""
        before = self.cpu
        while True:
            time.sleep(1)
            before, spent = self.cpu, self.cpu - before
            if spent < IDLE_SHARE:
                return

    @property
    def memory(self) -> Memory:
        """What the process holds now."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()[1:]
        kilobytes = {name.rstrip(":"): int(value) for name, value, *_ in map(str.split, lines)}
        return Memory(kilobytes["Rss"] / 1024, kilobytes["Pss"] / 1024)


def _await_health(url: str) -> None:
    if httpx2.get(url, timeout=PATIENCE).status_code != 200:
        raise RuntimeError(f"{url} is not well")
