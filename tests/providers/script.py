"""What the loopback provider is told to answer, and the gates with which a test holds it at a word."""

from __future__ import annotations

import asyncio
import itertools
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


class Gate:
    """Holds an answer just before one of its words; a test awaits `reached()` and lets go with `open()`.

    The provider may run in another thread and loop than the test.
    """

    def __init__(self) -> None:
        self._reached: Future[None] = Future()
        self._opened = threading.Event()
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    async def reached(self) -> None:
        """Return once the provider stands at the gate."""
        await asyncio.wrap_future(self._reached)

    def stood(self, seconds: float) -> None:
        """The same for a test without a loop. Raises TimeoutError."""
        self._reached.result(seconds)

    def open(self) -> None:
        """Let the answer go on, now or when it comes here."""
        self._opened.set()
        if self._waiter is not None:
            loop, event = self._waiter
            loop.call_soon_threadsafe(event.set)

    async def stand(self) -> None:
        """The provider's side: say that it is here, and wait for `open()`."""
        event = asyncio.Event()
        self._waiter = asyncio.get_running_loop(), event
        if not self._reached.done():
            self._reached.set_result(None)
        if not self._opened.is_set():
            await event.wait()


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of an answer; `arguments` is JSON text, as good or bad as the test wants it."""

    name: str
    arguments: str
    id: str = ""


@dataclass(slots=True)
class Answer:
    """One scripted answer.

    `words` are sent one event each, `reasoning` before them, `calls` after them. `gates` stand before the word of
    their index (`len(words)`: before the calls; `len(words) + 1 + n`: amid the arguments of call n). `cut` drops the
    connection, and `silent` says nothing more for ever, before the word of that index. `status` other than 200
    answers an error with `headers` and, where it is given, with `body` as JSON. `pause` is seconds between words.
    `error` ends the stream with the wire's own error event before the word of that index, `end` ends it there as if
    nothing were missing. `crlf` ends lines as some servers do. `hangs_up` drops the connection before a word of a
    response. With `silent_cache` a chat completion says nothing of cached tokens, as some servers do; `counts` stand
    in its usage, whatever is true. A `nameless` answer does not say which model gives it. One that `is_cut` says that
    it has reached its length. `raw` is sent in place of
    all that, chunk by chunk: the bytes of a body as a test wants them, with `headers` beside its type; `cut`, `gates`
    and `silent` stand before the chunk of their index.
    """

    words: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    silent: int | None = None
    error: int | None = None
    end: int | None = None
    crlf: bool = False
    hangs_up: bool = False
    silent_cache: bool = False
    counts: dict[str, Any] = field(default_factory=dict)
    nameless: bool = False
    is_cut: bool = False
    gates: dict[int, Gate] = field(default_factory=dict)
    pause: float = 0.0
    raw: list[bytes] | None = None
    body: Any = None


_numbers = itertools.count(1)


def numbered(kind: str) -> str:
    """An id as providers make them, unique in this process."""
    return f"{kind}_{next(_numbers):08d}"


def words(count: int) -> list[str]:
    """An answer of that many short words, spaces included."""
    return [f"word{number} " for number in range(count)]
