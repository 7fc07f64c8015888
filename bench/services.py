"""PostgreSQL and Redis as the tests run them (`tests.services`), and what they use of the CPU.

A database of its own for each run, dropped at its end; for a second host in the same run, another one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tests.services import end, free_port, postgres_url, redis_url, start_redis

_TICK = os.sysconf("SC_CLK_TCK")


def _seconds(pid: int, ended_children: bool) -> float:
    """CPU seconds of a process; 0 where it has gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    fields = stat.rpartition(")")[2].split()[11:15]
    return sum(map(int, fields if ended_children else fields[:2])) / _TICK


def machine_seconds() -> float:
    """CPU seconds that everything on this machine has used."""
    user, nice, system, _, _, hard, soft, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + hard + soft) / _TICK


@dataclass(frozen=True, slots=True)
class Services:
    """Where they are, and the processes to watch."""

    database: str
    redis: str
    _postmaster: int
    _redis: int

    @property
    def database_cpu(self) -> float:
        """CPU seconds of PostgreSQL: its parent, its children, and those that have ended."""
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text().split()
        living = sum(_seconds(int(child), ended_children=False) for child in children)
        return _seconds(self._postmaster, ended_children=True) + living

    @property
    def redis_cpu(self) -> float:
        """CPU seconds of Redis."""
        return _seconds(self._redis, ended_children=False)


@contextmanager
def services(name: str = "") -> Iterator[Services]:
    """A new database and a Redis; both must run on this machine. With a name, they are beside those without."""
    database, admin = f"bench_{os.getpid()}{name}", postgres_url()
    with psycopg.connect(admin, autocommit=True) as connection, ExitStack() as ending:
        connection.execute(f"CREATE DATABASE {database}")
        [backend] = connection.execute("SELECT pg_backend_pid()").fetchone() or [0]
        postmaster = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
        ending.callback(connection.execute, f"DROP DATABASE {database} WITH (FORCE)")
        url = _another_redis(ending) if name else redis_url()
        server: redis.Redis = redis.Redis.from_url(url)
        process = int(server.info("server")["process_id"])
        yield Services(f"{admin.rpartition('/')[0]}/{database}", url, postmaster, process)


def _another_redis(ending: ExitStack) -> str:
    """One of its own: what is published is heard in all databases of a Redis."""
    port = free_port()
    ending.callback(end, start_redis(port))
    return f"redis://127.0.0.1:{port}/0"
