"""A process of its own over a database that it fills, and in which it then does what it is asked, timed by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter

from tests.databases import Database
from tests.processes import ROOT


class Child:
    """`python -m MODULE SIZE` over a database; `filled` is the JSON that it prints first, in milliseconds.

    Each line that it reads then is a question, answered by a line with the milliseconds that it took.
    """

    def __init__(self, module: str, database: Database, size: int) -> None:
        env = {**os.environ, "DATABASE_URL": database.url, "SECRET_KEY": "bench-only"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(size)],
            cwd=ROOT,
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.filled: dict[str, float] = json.loads(self._line())

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, question: str) -> float:
        """Return the milliseconds that it took."""
        assert self._process.stdin
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


def milliseconds_each(count: int, work: Callable[[], object]) -> float:
    """Return what work takes, for each of so many things that it does."""
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1000 / max(1, count)
