"""Processes that tests start: a line is awaited, never a time."""

import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests import forks

ROOT = Path(__file__).resolve().parent.parent
# Seconds: long enough for a slow machine, and only ever spent by a test that fails.
PATIENCE = 120.0


def finish(
    command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with what it prints."""
    env = dict(os.environ if env is None else env)
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors, open(os.devnull) as nothing:
        streams = nothing.fileno(), output.fileno(), errors.fileno()
        code = forks.start(command, env, cwd, streams).wait(PATIENCE)
        for file in output, errors:
            file.seek(0)
        return subprocess.CompletedProcess(command, code, output.read(), errors.read())


class Process:
    """A running program; `output` is what it has printed and was read so far, errors included."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        *,
        listens: bool = False,
    ) -> None:
        self.output: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        output, printed = os.pipe()
        self._input: int | None = None
        if listens:
            asked, self._input = os.pipe()
        else:
            asked = os.open(os.devnull, os.O_RDONLY)
        env = dict(os.environ if env is None else env)
        self._running = forks.start(command, env, cwd, (asked, printed, printed))
        os.close(asked)
        os.close(printed)
        threading.Thread(target=self._read, args=(output,), daemon=True).start()

    def _read(self, output: int) -> None:
        with open(output) as stream:
            for line in stream:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def write(self, line: str) -> None:
        """Hand a line to a program that `listens` on its standard input."""
        assert self._input
        os.write(self._input, f"{line}\n".encode())

    @property
    def pid(self) -> int:
        return self._running.pid

    def line(self, part: str) -> str:
        """The next line that holds `part`; fails with all output when the process ends or is silent instead."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line with {part!r} in:\n" + "\n".join(self.output))
            self.output.append(line)
            if part in line:
                return line

    def signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def wait(self) -> int:
        """The exit code."""
        if self._input:
            os.close(self._input)
            self._input = None
        code = self._running.wait(PATIENCE)
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            self.output.append(line)
        self._lines.put(None)
        return code

    def stop(self) -> int:
        """SIGTERM, then the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """As a power cut would."""
        self._running.kill()
        self.wait()

    @property
    def running(self) -> bool:
        return self._running.poll() is None
