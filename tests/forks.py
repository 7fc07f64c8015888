"""Programs in Python that tests start, forked from a process that has loaded the libraries: `tests.fork_server`.

They are processes like others, with a number, signals, streams and an exit code of their own. Outside of a test run,
and where the interpreter itself is to start in another way, a program starts as from a command line. A fork has the
server's umask and limits, not those that a test has set.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_ADDRESS = "TEST_FORK_SERVER"
_NUMBER_BYTES = 16
_offered: list[socket.socket] = []


def offer() -> None:
    """Let this process, and those that it starts, have programs forked. The server starts when this one asks for it."""
    address = f"hermes-tests-{secrets.token_hex(8)}"
    listener = _socket()
    listener.bind(f"\0{address}")
    listener.listen(1000)
    _offered.append(listener)
    os.environ[_ADDRESS] = address


def start_server() -> None:
    """Start the server where this process has offered one, and it does not run yet; it ends with this process."""
    while _offered:
        with _offered.pop() as listener:
            # NumPy, which a library takes where there is one, would start threads.
            env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
            env.pop("PYTHONPATH", None)
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(listener.fileno())],
                cwd=Path(__file__).parent.parent, env=env, pass_fds=[listener.fileno()], stdin=subprocess.PIPE,
            )  # fmt: skip
            atexit.register(server.communicate)


def start(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, streams: tuple[int, int, int]
) -> subprocess.Popen[bytes] | Fork:
    """Start a program with these as its standard streams: a fork where it can be one."""
    if _ADDRESS in os.environ and _can_fork(command, env):
        start_server()
        return Fork(command[1:], env, cwd, streams)
    stdin, stdout, stderr = streams
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr)


def _can_fork(command: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a command starts the interpreter as the server was started."""
    program, first, *_ = *command, ""
    is_read = first in {"-m", "-c"} or first.endswith(".py")
    return program == sys.executable and is_read and _fixed(env) == _fixed(os.environ)


def _fixed(env: Mapping[str, str]) -> dict[str, str]:
    """Return what only an interpreter that starts reads of an environment."""
    return {name: env[name] for name in env if name.startswith("PYTHON") and name != "PYTHONPATH"}


def _socket() -> socket.socket:
    """Return a socket on which nothing blocks: where something is awaited, that is said."""
    new = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    new.setblocking(False)
    return new


class Fork:
    """A running fork, with what tests use of subprocess.Popen."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path, streams: tuple[int, int, int]
    ) -> None:
        self.command = command
        self.returncode: int | None = None
        self._server = _socket()
        self._server.connect(f"\0{os.environ[_ADDRESS]}")
        asked = {"command": [*command], "environment": {**env}, "folder": str(cwd)}
        socket.send_fds(self._server, [json.dumps(asked).encode()], streams)
        self.pid = self._number(None)

    def _number(self, timeout: float | None) -> int:
        """Return what the server tells next. Raises subprocess.TimeoutExpired, and EOFError where it has ended."""
        answer = select.poll()
        answer.register(self._server, select.POLLIN)
        if not answer.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired(self.command, timeout or 0)
        if told := self._server.recv(_NUMBER_BYTES):
            return int(told)
        raise EOFError("the fork server has ended")

    def poll(self) -> int | None:
        """Return the exit code if there is one yet."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code, the negative number of a signal included. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self.returncode = self._number(timeout)
            self._server.close()
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)
