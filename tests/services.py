"""Real PostgreSQL and Redis for the tests, started on a free port when first asked for and stopped at the end.

TEST_DATABASE_URL and TEST_REDIS_URL name running ones instead. Their programs are found on PATH or where Debian
puts them; the programs themselves are called, not their packages' wrappers, which need root and system users.
"""

import atexit
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

# What the tests need: Debian's package, and the names it may go by.
PROGRAMS = {
    "chromium": (
        "chromium-headless-shell",
        ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
    ),
    "docker-compose": ("docker-compose", ("docker-compose",)),
    "initdb": ("postgresql", ("initdb",)),
    "nginx": ("nginx-light", ("nginx",)),
    "openssl": ("openssl", ("openssl",)),
    "pg_dump": ("postgresql", ("pg_dump",)),
    "pg_restore": ("postgresql", ("pg_restore",)),
    "postgres": ("postgresql", ("postgres",)),
    "redis-server": ("redis-server", ("redis-server", "valkey-server")),
    "sqlite3": ("sqlite3", ("sqlite3",)),
}


# Below the kernel's own, which begin at 32,768.
_PORTS = range(15_000, 32_000)


class Missing(RuntimeError):
    """A program that the tests need is not on this machine; the message says what to install."""


def free_port() -> int:
    """A port for a server to come: at random, and not of those that the kernel gives to connections meanwhile."""
    while True:
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def program(name: str) -> str:
    """Path of the first of its alternatives found. Raises Missing."""
    postgresql = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders = [os.environ.get("PATH", ""), "/usr/sbin", *map(str, postgresql)]
    package, names = PROGRAMS[name]
    for alternative in names:
        if found := shutil.which(alternative, path=os.pathsep.join(folders)):
            return found
    raise Missing(f"{name} was not found: install it (Debian: apt-get install {package}).")


def missing_packages() -> set[str]:
    """The Debian packages that would bring what this machine lacks."""
    missing = set()
    for name, (package, _) in PROGRAMS.items():
        try:
            program(name)
        except Missing:
            missing.add(package)
    return missing


def chromium() -> str:
    """Path of a Chromium or Chrome. Raises Missing."""
    return program("chromium")


@cache
def redis_url() -> str:
    """A Redis (or Valkey) that keeps nothing on disk."""
    if given := os.environ.get("TEST_REDIS_URL"):
        return given
    port = free_port()
    atexit.register(end, start_redis(port))
    return f"redis://127.0.0.1:{port}/0"


def start_redis(port: int) -> subprocess.Popen[str]:
    """A Redis that keeps nothing on disk, ready for connections. `end` it."""
    server = program("redis-server")
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.PIPE,
        cwd=tempfile.gettempdir(),
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if "Ready to accept connections" in line:
            return process
    raise RuntimeError(f"{server} ended with {process.wait()}")


@cache
def postgres_url() -> str:
    """A PostgreSQL whose user may create databases; it does not wait for the disk."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(postgres())


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of one's own: the URL of its database `postgres`. It ends with the block, and its files go."""
    initdb, server = (program(name) for name in ("initdb", "postgres"))
    folder = Path(tempfile.mkdtemp(prefix="hermes-postgres-"))
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        who = _unprivileged(folder)
        data, port = folder / "data", free_port()
        subprocess.run(
            [initdb, "-D", data, "-U", "hermes", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, **who,
        )  # fmt: skip
        settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "fsync=off"]
        # Else plans, which some tests compare, change in a slow run when statistics are made amid it.
        settings.append("autovacuum=off")
        process = subprocess.Popen(
            [server, "-D", data, *(word for setting in settings for word in ("-c", setting))],
            stderr=subprocess.PIPE, cwd=folder, text=True, **who,
        )  # fmt: skip
        ending.callback(end, process)
        _await_postgres(process)
        yield f"postgres://hermes@127.0.0.1:{port}/postgres"


def _await_postgres(process: subprocess.Popen[str]) -> None:
    told = []
    for line in process.stderr or ():
        told.append(line)
        if "database system is ready to accept connections" in line:
            _drain(process)
            return
    raise RuntimeError(f"PostgreSQL ended with {process.wait()}: {''.join(told)}")


def _drain(process: subprocess.Popen[str]) -> None:
    """Keep reading what the server tells, so that its pipe never fills, and close it at its end."""

    def read() -> None:
        assert process.stderr
        with process.stderr as stream:
            for _ in stream:
                pass

    threading.Thread(target=read, daemon=True).start()


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Popen's words for a user that PostgreSQL agrees to run as: it refuses root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def end(process: subprocess.Popen[str]) -> None:
    """Ends what was started here, where it still runs."""
    # SIGINT: PostgreSQL's fast shutdown, Redis's own.
    process.send_signal(signal.SIGINT)
    process.wait()
    if process.stdout:
        process.stdout.close()


if __name__ == "__main__":
    print(*sorted(missing_packages()))
