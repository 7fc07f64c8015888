"""The site as it runs in earnest: several processes over a database of PostgreSQL and a Redis, a test's own to hurt."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from redis import Redis

from tests import databases, services
from tests.databases import Database
from tests.live import LiveSite

# Starts of a process until it has to let clients in.
STARTS = 5
_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < %s
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many processes serve how many users."""

    processes: int
    users: int


class RedisServer:
    """A Redis that can be killed, and comes back at the same address with nothing."""

    def __init__(self) -> None:
        self.port = services.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process = services.start_redis(self.port)

    def restart(self) -> None:
        self._process.kill()
        services.end(self._process)
        self._process = services.start_redis(self.port)

    def drop_subscribers(self) -> int:
        """How many connections it has dropped."""
        with Redis(port=self.port) as client:
            return int(client.execute_command("CLIENT", "KILL", "TYPE", "pubsub"))

    def end(self) -> None:
        services.end(self._process)


class Node:
    """One process of the site, which may be another after each start. `output` is what those before have printed."""

    def __init__(self, site: LiveSite) -> None:
        self.site = site
        self.output: list[str] = []

    def kill(self) -> None:
        """SIGKILL."""
        self.site.kill()

    def stop(self) -> None:
        """SIGTERM; returns when it has drained. Raises AssertionError: it did not end, or not well."""
        try:
            code = self.site.stop()
        except subprocess.TimeoutExpired:
            self.site.kill()
            code = -1
        assert code == 0, "\n".join(self.site.process.output[-50:])

    def pause(self) -> None:
        """SIGSTOP."""
        self.site.process.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self.site.process.signal(signal.SIGCONT)

    def start(self) -> None:
        """Start anew, as a supervisor would: again, where PostgreSQL was hurt while the start looked at it."""
        for _ in range(STARTS):
            self.output += self.site.process.output
            self.site.launch()
            with suppress(AssertionError):
                self.site.await_ready()
                return
            self.site.kill()
        raise AssertionError("\n".join(self.site.process.output))

    def end(self) -> None:
        """SIGKILL, for good."""
        if self.site.process.running:
            self.site.kill()
        self.output += self.site.process.output


@dataclass(frozen=True, slots=True)
class Cluster:
    """Running: `tokens` has an API token of each user, by name."""

    database: Database
    redis: RedisServer
    nodes: list[Node]

    @property
    def tokens(self) -> dict[str, str]:
        return self.database.tokens

    def drop_backends(self, share: float) -> int:
        """Terminates a share of the connections to PostgreSQL, chosen by PostgreSQL; how many."""
        return len(self.database.run(_TERMINATE, share))


@contextmanager
def cluster(scale: Scale, template: Database, **env: str) -> Iterator[Cluster]:
    """A cluster over a copy of a database, with the environment variables given. It ends with the block."""
    with ExitStack() as ending:
        redis = RedisServer()
        ending.callback(redis.end)
        database = databases.postgresql(template)
        ending.callback(databases.drop, database)
        for number in range(scale.users):
            database.add_user(f"user{number}")
        nodes: list[Node] = []
        for _ in range(scale.processes):
            nodes.append(Node(LiveSite(database, REDIS_URL=redis.url, **env)))
            nodes[-1].site.launch()
            ending.callback(nodes[-1].end)
        for node in nodes:
            node.site.await_ready()
        yield Cluster(database, redis, nodes)
