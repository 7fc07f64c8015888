"""Processes that tests start: a line is awaited, never a time."""

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Seconds: long enough for a slow machine, and only ever spent by a test that fails.
PATIENCE = 120.0


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
        self._popen = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(os.environ if env is None else env),
            stdin=subprocess.PIPE if listens else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._popen.stdout
        with self._popen.stdout as stream:
            for line in stream:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def write(self, line: str) -> None:
        """Hand a line to a program that `listens` on its standard input."""
        assert self._popen.stdin
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()

    @property
    def pid(self) -> int:
        return self._popen.pid

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
        self._popen.send_signal(number)

    def wait(self) -> int:
        """The exit code."""
        if self._popen.stdin:
            self._popen.stdin.close()
        code = self._popen.wait(PATIENCE)
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
        self._popen.kill()
        self.wait()

    @property
    def running(self) -> bool:
        return self._popen.poll() is None
