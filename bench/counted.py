"""The host with its queries counted: `python -m bench.counted FILE serve` keeps the count in the eight bytes of FILE.

Counts what every thread of the process sends to the database: queries, savepoints and the BEGIN of each transaction.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management import execute_from_command_line
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class Counter:
    """Queries so far, where another process can read them."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._cell = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")
        self._lock = threading.Lock()

    def watch(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        """Count those of a connection that has just been made, or was taken from the pool once more."""
        if self._run not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._run)

    def _run(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        with self._lock:
            self._cell[0] += 1
        return execute(sql, params, many, context)


def count_in(path: Path) -> int:
    """The queries that the host with this file has made so far."""
    return int.from_bytes(path.read_bytes(), sys.byteorder)


if __name__ == "__main__":
    connection_created.connect(Counter(Path(sys.argv.pop(1))).watch, weak=False)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hermes_site.settings")
    execute_from_command_line(sys.argv)
