"""Real PostgreSQL and Redis for the tests, started on a free port when first asked for and stopped at the end.

TEST_DATABASE_URL and TEST_REDIS_URL name running ones instead. Their programs are found on PATH or where Debian
puts them; the programs themselves are called, not their packages' wrappers, which need root and system users.
"""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any

# What the tests need: Debian's package, and the names it may go by.
PROGRAMS = {
    "chromium": ("chromium", ("chromium", "chromium-browser", "google-chrome")),
    "initdb": ("postgresql", ("initdb",)),
    "postgres": ("postgresql", ("postgres",)),
    "redis-server": ("redis-server", ("redis-server", "valkey-server")),
}


class Missing(RuntimeError):
    """A program that the tests need is not on this machine; the message says what to install."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """Path of the first of its alternatives found. Raises Missing."""
    folders = [os.environ.get("PATH", ""), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
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
    server, port = program("redis-server"), free_port()
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.PIPE,
        cwd=tempfile.gettempdir(),
        text=True,
    )
    atexit.register(_end, process)
    for line in process.stdout or ():
        if "Ready to accept connections" in line:
            return f"redis://127.0.0.1:{port}/0"
    raise RuntimeError(f"{server} ended with {process.wait()}")


@cache
def postgres_url() -> str:
    """A PostgreSQL whose user may create databases; it does not wait for the disk."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given
    initdb, server = (program(name) for name in ("initdb", "postgres"))
    folder = Path(tempfile.mkdtemp(prefix="hermes-postgres-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    who = _unprivileged(folder)
    data, port = folder / "data", free_port()
    subprocess.run(
        [initdb, "-D", data, "-U", "hermes", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, **who,
    )  # fmt: skip
    settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "fsync=off"]
    process = subprocess.Popen(
        [server, "-D", data, *(word for setting in settings for word in ("-c", setting))],
        stderr=subprocess.PIPE, cwd=folder, text=True, **who,
    )  # fmt: skip
    # Registered after the folder's removal, so that it comes before it.
    atexit.register(_end, process)
    _await_postgres(process)
    return f"postgres://hermes@127.0.0.1:{port}/postgres"


def _await_postgres(process: subprocess.Popen[str]) -> None:
    told = []
    for line in process.stderr or ():
        told.append(line)
        if "database system is ready to accept connections" in line:
            _drain(process)
            return
    raise RuntimeError(f"PostgreSQL ended with {process.wait()}: {''.join(told)}")


def _drain(process: subprocess.Popen[str]) -> None:
    """Keep reading what the server tells, so that its pipe never fills."""
    stream = process.stderr
    assert stream
    threading.Thread(target=lambda: [None for _ in stream], daemon=True).start()


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Popen's words for a user that PostgreSQL agrees to run as: it refuses root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _end(process: subprocess.Popen[str]) -> None:
    # SIGINT: PostgreSQL's fast shutdown, Redis's own.
    process.send_signal(signal.SIGINT)
    process.wait()


if __name__ == "__main__":
    print(*sorted(missing_packages()))
