"""A host of the soak: its processes, what each holds at a moment, and what all of it has used of the CPU."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.provider import Provider
from bench.services import Services, services
from bench.site import Site, World
from bench.timing import cpu_of

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """What a process holds at a moment: MB, its workers' beside it; open files; threads."""

    memory: float
    workers: float
    files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Host:
    """A running host, and who else uses it: with the token that they have there."""

    sites: list[Site]
    services: Services
    token: str

    def spent(self) -> dict[str, float]:
        """CPU seconds so far, by part; of a process that has ended the system tells none."""
        workers = sum(_cpu(child) for site in self.sites for child in _children(site))
        database = self.services.database_cpu + self.services.redis_cpu
        return {"host": sum(site.cpu for site in self.sites), "workers": workers, "PostgreSQL, Redis": database}


def start(stack: ExitStack, folder: Path, provider: Provider, users: int, name: str = "") -> tuple[Host, list[str]]:
    """A new host until the stack ends, and the tokens of its users: the last one's is the adversary's."""
    running = stack.enter_context(services(name))
    world = World(folder, provider.url, running)
    tokens = world.seed(users).tokens
    settings = {"HERMES_TURNS_PER_MINUTE": "", "HERMES_SIGNUP": "open"}
    sites = [stack.enter_context(world.site(**settings)) for _ in range(PROCESSES)]
    return Host(sites, running, tokens[-1]), tokens


def mark(site: Site) -> Mark:
    """What a process holds now."""
    folder = Path(f"/proc/{site.process.pid}")
    tasks = list((folder / "task").iterdir())
    workers = sum(_rss(Path(f"/proc/{child}")) for child in _children(site))
    return Mark(_rss(folder), workers, len(list((folder / "fd").iterdir())), len(tasks))


def _children(site: Site) -> list[int]:
    told = []
    for task in Path(f"/proc/{site.process.pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended
            told += (task / "children").read_text().split()
    return [int(child) for child in told]


def _cpu(pid: int) -> float:
    """CPU seconds; 0 of a process that has gone."""
    try:
        return cpu_of(pid)
    except OSError:
        return 0.0


def _rss(folder: Path) -> float:
    """MB; 0 of a process that has gone."""
    try:
        return int((folder / "statm").read_text().split()[1]) * 4096 / 2**20
    except FileNotFoundError:
        return 0.0
