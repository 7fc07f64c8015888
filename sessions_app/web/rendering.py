"""Where Markdown is rendered: in processes of its own, so that no text holds the interpreter that serves everybody.

A text waits, fairly by user (``scheduling``), for one of a few threads. The thread hands it to a worker process
(web/worker.py) and waits for the HTML. Why no library does this is in docs/decisions/0025-fair-shares.md.

A worker that dies, or does not answer, is replaced. A text is shown as it was written where it has used up its time, or
where a worker that was started for it has died; one that had been idle may have died of something else.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from functools import cache, partial
from multiprocessing import Pipe
from pathlib import Path
from subprocess import Popen  # nosec B404
from typing import Any

from sessions_app.scheduling.allowance import Allowance
from sessions_app.scheduling.threads import FairThreads
from sessions_app.web.plain import plain

logger = logging.getLogger(__name__)

WORKERS = 2
"""Each begins with the first text that finds all others busy, which takes 0.3 s of processor time and 25 MB."""
COMMAND = [sys.executable, "-m", "sessions_app.web.worker"]
ROOT = Path(__file__).resolve().parents[2]
LOADING_SECONDS = 120.0
ANSWER_SECONDS = 120.0
"""By the wall clock: beyond what a text may use of a busy processor, for a worker that sleeps or was stopped."""


class TakesTooLong(Exception):  # an outcome, not a fault
    """A text, or the start of a worker, has used up its time."""


class Worker:
    """A worker process and our end of its socket. Used by one thread at a time; lives until ``end``.

    Raises TakesTooLong, or EOFError and OSError where the process has died; then nothing but ``end`` may follow.
    """

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            # A group of its own, which Ctrl-C in a terminal does not reach.
            self._process = Popen(COMMAND, cwd=ROOT, stdin=theirs.fileno(), process_group=0)  # nosec B603
        try:
            self._receive(LOADING_SECONDS)
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def render(self, text: str) -> str:
        """HTML of a text."""
        self._connection.send_bytes(text.encode(errors="surrogatepass"))
        return self._receive(ANSWER_SECONDS).decode(errors="surrogatepass")

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _receive(self, seconds: float) -> bytes:
        if not self._connection.poll(seconds):
            raise TakesTooLong
        try:
            return self._connection.recv_bytes()
        except (EOFError, OSError):
            if self._process.wait() == -signal.SIGXCPU:
                raise TakesTooLong from None
            raise


class Workers:
    """The worker processes of this one, and the threads in which texts wait for them."""

    def __init__(self) -> None:
        self.threads = FairThreads(WORKERS, "markdown")
        self._is_started = False
        # A long answer takes some 0.1 s. What is over it waits; the page shows the text as it was written meanwhile.
        self.allowance = Allowance(saved=20.0, fraction=0.2, at_once=WORKERS)
        # The last one that was used comes first, so a second one is started only when it is needed.
        self.idle: deque[Worker] = deque()

    async def render_all(self, user_id: int, texts: list[str]) -> list[str]:
        """HTML of each text by itself. When it is cancelled, texts that wait are dropped."""
        return await self._gathered(self._within_allowance(user_id, text) for text in texts)

    async def render_for_staff(self, user_id: int, texts: list[str]) -> list[str]:
        """The same in no allowance: who reads in admin what others have written neither waits for it nor uses it up."""
        return await self._gathered(self._submitted(user_id, self.render, text) for text in texts)

    async def _gathered(self, work: Iterable[Coroutine[Any, Any, str]]) -> list[str]:
        rendered = [asyncio.ensure_future(each) for each in work]
        try:
            return await asyncio.gather(*rendered)
        finally:
            for each in rendered:
                each.cancel()

    async def _within_allowance(self, user_id: int, text: str) -> str:
        async with self.allowance.use(user_id) as account:
            return await self._submitted(user_id, account.counted(self.render), text)

    async def _submitted(self, user_id: int, render: Callable[[str], str], text: str) -> str:
        return await asyncio.wrap_future(self.threads.submit(user_id, partial(render, text)))

    def start_one(self) -> None:
        """Start a worker, unless one was started or is being: who looks at the page soon has an answer rendered."""
        if not self._is_started:
            self._is_started = True
            self.threads.submit(None, partial(self.render, ""))

    def render(self, text: str) -> str:
        """HTML of a text (in one of the threads). Raises TakesTooLong, EOFError, OSError where no worker can begin."""
        while (worker := self._idle_one()) is not None:
            with suppress(EOFError, OSError):
                return self._render_in(worker, text)
        worker = Worker()
        try:
            return self._render_in(worker, text)
        except (EOFError, OSError):
            return plain(text)

    def _idle_one(self) -> Worker | None:
        with suppress(IndexError):  # of two threads one may find none
            return self.idle.pop()
        return None

    def _render_in(self, worker: Worker, text: str) -> str:
        """Raises EOFError or OSError where the worker has died."""
        try:
            html = worker.render(text)
        except Exception as error:
            logger.warning("a worker that renders Markdown was ended: %s", type(error).__name__)
            worker.end()
            if isinstance(error, TakesTooLong):
                return plain(text)
            raise
        self.idle.append(worker)
        return html

    def close(self) -> None:
        """Render what waits, and end the processes."""
        self.threads.close()
        while self.idle:
            self.idle.pop().end()


@cache
def workers() -> Workers:
    """The workers of this process; none runs before the first browser, or the first text."""
    return Workers()


def start_worker() -> None:
    """Have a worker ready soon, without waiting for it."""
    workers().start_one()


async def render_all(user_id: int, texts: list[str]) -> list[str]:
    """HTML of each text by itself (web/markdown.py), in the order of its user and fair among users."""
    return await workers().render_all(user_id, texts)


async def render_for_staff(user_id: int, texts: list[str]) -> list[str]:
    """The same for who reads in admin, fair among users, and in no user's allowance."""
    return await workers().render_for_staff(user_id, texts)


def close() -> None:
    """End threads and processes (end of this process, or of a test run)."""
    workers().close()
    workers.cache_clear()
