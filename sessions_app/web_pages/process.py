"""Have a page read by a worker, and wait for it; who stops waiting ends the worker."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess  # nosec B404
import sys
import tempfile
from functools import cache
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from sessions_app.scheduling.threads import FairThreads
from sessions_app.web_pages import results
from sessions_app.web_pages.results import Page, PageError

logger = logging.getLogger(__name__)

READERS = 4
"""Pages that are read at once, in a process each; of many users they take turns."""

COMMAND = [sys.executable, "-m", "sessions_app.web_pages.worker"]
ROOT = Path(__file__).resolve().parents[2]
WALL_SECONDS = 60.0
"""For fetching, which ends by itself long before, and reading."""

TOO_LONG = "to read this page takes too long."
FAILED = "this page could not be read."


@cache
def _threads() -> FairThreads:
    return FairThreads(READERS, "pages")


async def read(user_id: int, url: str) -> Page:
    """Read a page for a user. Raises PageError; cancelled, it ends the worker at once."""
    worker = _Worker(url)
    try:
        return await asyncio.wrap_future(_threads().submit(user_id, worker.run))
    except asyncio.CancelledError:
        worker.end()
        raise


class _Worker:
    """A worker for one page. It runs in a thread, and is ended from another one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ended = False

    def run(self) -> Page:
        """Return what the page says. Raises PageError."""
        with tempfile.TemporaryFile() as output:
            code = self._run(output)
            try:
                return results.read(output)
            except (ValueError, TypeError):
                if not self._is_ended:
                    logger.warning("a worker that reads pages ended with %s", code)
                raise PageError(TOO_LONG if code in (-signal.SIGXCPU, -signal.SIGKILL) else FAILED) from None

    def end(self) -> None:
        """End the worker, if it has begun; else it will not begin."""
        with self._lock:
            self._is_ended = True
            if self._process is not None:
                self._process.kill()

    def _run(self, output: BinaryIO) -> int:
        """Return the worker's exit code."""
        with self._lock:
            if self._is_ended:
                return -signal.SIGKILL
            self._process = self._started(output)
        with self._process as process:
            try:
                process.communicate(self._url.encode("utf-8", "replace"), timeout=WALL_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.returncode

    @staticmethod
    def _started(output: BinaryIO) -> subprocess.Popen[bytes]:
        # A group of its own, which Ctrl-C in a terminal does not reach.
        return subprocess.Popen(  # nosec B603
            COMMAND,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output.fileno(),
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
