"""Whether the place where the database keeps its rows still takes a write.

A full disk reads well, so it is written to. A row would prove nothing: SQLite writes over what its log has already, and
both databases fill the gaps in their files first. So it is tried with blocks that nothing has yet.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.db import Error, connection, transaction

# Seconds. However often it is asked, and by whom: what the disk is written to by that is bounded.
EVERY = 10.0
_BYTES = 64 * 1024
# A table of its own is new blocks; the rows cannot be compressed. A server that only reads refuses it as well.
_WRITE = "CREATE TEMPORARY TABLE hermes_probe AS SELECT gen_random_uuid() FROM generate_series(1, 2000)"


class Disk:
    """Remembers for ``EVERY`` seconds whether the database's disk took a write. For any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tried: float | None = None
        self._writable = False

    def takes_writes(self) -> bool:
        """Try it where the last time is long enough ago."""
        with self._lock:
            if self._tried is None or self._clock() - self._tried >= EVERY:
                self._writable = _write_file() if connection.vendor == "sqlite" else _write_table()
                self._tried = self._clock()
            return self._writable


def _write_file() -> bool:
    folder = Path(connection.settings_dict["NAME"]).parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            # Blocks of zeros would cost some file systems nothing.
            file.write(os.urandom(_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    return True


def _write_table() -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_WRITE)
            transaction.set_rollback(True)
    except Error:
        return False
    return True
