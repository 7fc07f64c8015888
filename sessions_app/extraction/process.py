"""Have a file read by a worker, and wait for it. In a thread.

Each file has a process of its own: what one file does to a library meets no other. Nothing is left of one that is
killed, or whose parent is: its files have no names.
"""

from __future__ import annotations

import logging
import signal
import subprocess  # nosec B404
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sessions_app.extraction import results
from sessions_app.extraction.results import Extracted, Unreadable

logger = logging.getLogger(__name__)

COMMAND = [sys.executable, "-m", "sessions_app.extraction.worker"]
ROOT = Path(__file__).resolve().parents[2]
WALL_SECONDS = 180.0
"""Beyond what a file may use of a busy processor: for a worker that sleeps or was stopped."""

TOO_LONG = "To read this file takes too long."
FAILED = "This file could not be read: it is damaged."


@contextmanager
def extracted(file: BinaryIO, suffix: str) -> Iterator[tuple[Extracted, BinaryIO]]:
    """Give what was found in a file, which has a descriptor, and where the pieces are that were made of it.

    ``suffix`` is the end of its name. Raises Unreadable.
    """
    with tempfile.TemporaryFile() as output:
        file.seek(0)
        code = _run(file, suffix, output)
        try:
            found = results.read(output)
        except ValueError:
            logger.warning("a worker that reads files ended with %s", code)
            raise Unreadable(FAILED) from None
        yield found, output


def _run(file: BinaryIO, suffix: str, output: BinaryIO) -> int:
    """Return the worker's exit code. Raises Unreadable where it took too long."""
    # A group of its own, which Ctrl-C in a terminal does not reach.
    with subprocess.Popen(  # nosec B603
        [*COMMAND, suffix],
        cwd=ROOT,
        stdin=file.fileno(),
        stdout=output.fileno(),
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as process:
        try:
            code = process.wait(WALL_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Unreadable(TOO_LONG) from None
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise Unreadable(TOO_LONG)
    return code
