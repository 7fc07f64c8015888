"""A provider's event stream, handed on in batches: deltas that came together are joined to one event.

What an SDK and Pydantic AI spend on one event (130 to 190 µs) is most of what a turn costs, and nobody reads faster
than 33 times a second. So the first delta goes on at once, and then what has come within each 30 ms goes on
together: deltas that differ in nothing but their text become one. Everything else passes byte for byte, in order,
and the end of the stream waits for nothing. A server that sends megabytes at once is slowed down: what is read ahead
is bounded, and so is a batch, because each client that has it open is sent one frame of it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import httpx2

PERIOD = 0.03
"""Seconds between two batches."""

MOST, AHEAD = 64 * 1024, 256 * 1024
"""Bytes of one batch, and read ahead; more only where one event is larger."""

_OVERLAP = 64

THE_END = re.compile(
    rb'data: \[DONE\]|"finish_reason":\s*"|"type":\s*"(?:message_stop|response\.(?:completed|incomplete|failed))"'
)
"""How each wire says that an answer is over. In a text of the answer the quotes would be escaped."""

Path = tuple[str | int, ...]

_RESPONSES_DELTAS = {
    "response.output_text.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_text.delta",
    "response.function_call_arguments.delta",
}


class Batches(httpx2.AsyncByteStream):
    """Wraps the stream of a response. One task reads ahead while the consumer works or waits.

    `complete` tells whether the provider has said that its answer is over: a connection closed early may look like an
    end. Iterating it again goes on where the last iteration stopped, as SDKs do to read an answer's very end.
    """

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner
        self._buffer = bytearray()
        self.complete = False
        self._last = b""
        self._error: Exception | None = None
        self._ended = False
        self._reader: asyncio.Task[None] | None = None
        self._due = asyncio.Event()
        self._room = asyncio.Event()
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The stream, event by event joined where they can be."""
        if self._reader is None:
            self._reader = self._loop.create_task(self._read())
        while self._buffer or not self._ended:
            await self._due.wait()
            self._due.clear()
            batch, spoke = self._take()
            if spoke:
                self._next = self._loop.time() + PERIOD
            if batch:
                self._rest()
                yield batch
        if self._error is not None:
            raise self._error

    async def _read(self) -> None:
        try:
            async for chunk in self._inner:
                self._buffer += chunk
                self._came()
                if len(self._buffer) > AHEAD and b"\n\n" in self._buffer:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:
            # Raised to the consumer, after what came before it.
            self._error = error
        finally:
            self._ended = True
            self._due.set()

    def _came(self) -> None:
        """Wake the consumer, now or when the period is over."""
        if self._loop.time() >= self._next:
            self._due.set()
        elif self._timer is None:
            self._timer = self._loop.call_at(self._next, self._ring)

    def _rest(self) -> None:
        """See to what a batch has left behind, and read on."""
        self._room.set()
        if self._ended and len(self._buffer) <= MOST:
            self._due.set()
        elif self._whole():
            self._came()

    def _ring(self) -> None:
        self._timer = None
        self._due.set()

    def _whole(self) -> int:
        """How many bytes make the next batch: whole events, at the end of the stream whatever is left."""
        buffer = self._buffer
        # Carriage returns only ever end lines. Such streams go on as they come: the SDKs wait for whole lines.
        if b"\r" in buffer:
            return len(buffer)
        if len(buffer) > MOST:
            end = buffer.rfind(b"\n\n", 0, MOST)
            end = buffer.find(b"\n\n", MOST - 1) if end < 0 else end
            if end >= 0:
                return end + 2
        return len(buffer) if self._ended else buffer.rfind(b"\n\n") + 2

    def _take(self) -> tuple[bytes, bool]:
        """The next batch, and whether there was a delta among it."""
        if (end := self._whole()) < 2:
            return b"", False
        taken = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._last = (self._last + taken)[-_OVERLAP - len(taken) :]
        self.complete = self.complete or THE_END.search(self._last) is not None
        return joined(taken)

    async def aclose(self) -> None:
        """Stop reading and close the response."""
        if self._timer is not None:
            self._timer.cancel()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        await self._inner.aclose()


def joined(data: bytes) -> tuple[bytes, bool]:
    """The events with mergeable neighbours joined, and whether there was a delta among them."""
    if b"\r" in data or not data.endswith(b"\n\n"):
        return data, True
    events = list(_runs(data[:-2].split(b"\n\n")))
    return b"".join(event + b"\n\n" for event, _ in events), any(delta for _, delta in events)


def _runs(events: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each event, or one for each run of deltas that differ in nothing but their text; with "it is a delta"."""
    run: _Delta | None = None
    for event in events:
        delta = _Delta.read(event)
        if run is not None and delta is not None and run.takes(delta):
            continue
        if run is not None:
            yield run.written(), True
        run = delta
        if delta is None:
            yield event, False
    if run is not None:
        yield run.written(), True


class _Delta:
    """A run of deltas: the first one's frame, and the texts of all."""

    def __init__(self, event: bytes, head: bytes, frame: dict[str, Any], path: Path, text: str) -> None:
        self._event, self._head, self._frame, self._path = event, head, frame, path
        self._texts = [text]

    @classmethod
    def read(cls, event: bytes) -> _Delta | None:
        """The event as a delta, or None if it is none."""
        head, found, data = event.rpartition(b"data: ")
        if not found or b"\n" in data or not data.startswith(b"{"):
            return None
        try:
            frame = json.loads(data)
        except ValueError:
            return None
        # They number or pad each event, and say nothing.
        frame.pop("sequence_number", None)
        frame.pop("obfuscation", None)
        texts = [(path, text) for path in _paths(frame) if isinstance(text := _at(frame, path), str) and text]
        if len(texts) != 1:
            return None
        [(path, text)] = texts
        if text.startswith("<") and text.endswith(">"):
            # Pydantic AI knows a thought that is written in tags by each tag being a delta of its own.
            return None
        _at(frame, path[:-1])[path[-1]] = ""
        return cls(event, head, frame, path, text)

    def takes(self, other: _Delta) -> bool:
        """Whether the other one goes on where this one ends; if so, its text is taken in."""
        if self._path != other._path or self._head != other._head or self._frame != other._frame:
            return False
        self._texts += other._texts
        return True

    def written(self) -> bytes:
        """The event: as it came, if it stands alone."""
        if len(self._texts) == 1:
            return self._event
        _at(self._frame, self._path[:-1])[self._path[-1]] = "".join(self._texts)
        return self._head + b"data: " + json.dumps(self._frame).encode()


def _paths(frame: dict[str, Any]) -> tuple[Path, ...]:
    """Where a wire's delta has its text: Anthropic messages, Responses, chat completions."""
    kind = frame.get("type")
    if kind == "content_block_delta":
        return (("delta", "text"), ("delta", "thinking"), ("delta", "partial_json"))
    if isinstance(kind, str):
        return (("delta",),) if kind in _RESPONSES_DELTAS else ()
    delta = ("choices", 0, "delta")
    return ((*delta, "content"), (*delta, "reasoning_content"), (*delta, "reasoning"))


def _at(frame: Any, path: Path) -> Any:
    """What stands at a path, or None."""
    for step in path:
        try:
            frame = frame[step]
        except (LookupError, TypeError):
            return None
    return frame
