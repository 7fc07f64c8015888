"""A provider's answer on its way to the SDK: read ahead, put into canonical form, handed on in batches.

The first delta goes on at once, and then what has come within each 30 ms goes on together: nobody reads faster than
33 times a second. The end of the answer waits for nothing. A server that sends megabytes at once is slowed down: what
is read ahead is bounded, and so is a batch, because each client that has it open is sent one frame of it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

import httpx2

from sessions_app.llm.wire.chunks import Chunk, as_words, joined
from sessions_app.llm.wire.compression import decompressed
from sessions_app.llm.wire.decoder import AnswerDecoder

BATCH_SECONDS = 0.03
"""Seconds between two batches."""

MAX_BATCH_CHARACTERS, MAX_BUFFERED_CHARACTERS = 64 * 1024, 256 * 1024
"""Of the texts in one batch, and read ahead; a batch is larger only by the rest of one chunk."""

LINGER_SECONDS = 5.0
"""Seconds that are waited for what may follow an answer's end: the counts, the last mark. Then it counts as over."""

DRAIN_SECONDS = 0.1
"""Seconds that the end of the body is waited for, so that its connection can be used again."""


class Heard(Protocol):
    """Who hears of an answer as it is read ahead.

    `on_bytes` is called for each piece of the body, whatever it says, `on_words` for each that brings something of the
    answer, and `on_end` when all of it is here: it may still have to be handed on.
    """

    @property
    def on_bytes(self) -> Callable[[], None]: ...

    @property
    def on_words(self) -> Callable[[], None]: ...

    @property
    def on_end(self) -> Callable[[], None]: ...


class AnswerStream(httpx2.AsyncByteStream):
    """Wraps a response. One task reads ahead while the consumer works or waits. Belongs to the event loop.

    Iterating it again goes on where the last iteration stopped, as SDKs do to read an answer's very end.
    """

    def __init__(self, response: httpx2.Response, decoder: AnswerDecoder, heard: Heard) -> None:
        self._response = response
        self._decoder = decoder
        self._heard = heard
        self._chunks: deque[Chunk] = deque()
        self._characters = 0
        self._error: Exception | None = None
        self._over = False
        self._has_spoken = False
        self._reader: asyncio.Task[None] | None = None
        self._due = asyncio.Event()
        self._room = asyncio.Event()
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The answer, event by event in canonical form, joined where they can be."""
        if self._reader is None:
            self._reader = self._loop.create_task(self._read())
        else:
            self._rest()  # which the last iteration may have left before it did
        while self._chunks or not self._over:
            await self._due.wait()
            self._due.clear()
            batch = self._take()
            if any(chunk.path for chunk in batch):
                self._next = self._loop.time() + BATCH_SECONDS
            if batch:
                yield b"".join(event.encoded() for chunk in joined(batch) for event in as_words(chunk))
            self._rest()
        if self._error is not None:
            raise self._error

    async def _read(self) -> None:
        """Read the body to its end. Once the provider has said that the answer is over, nothing can spoil it."""
        try:
            async with asyncio.timeout(None) as linger:
                async for data in decompressed(self._response):
                    self._heard.on_bytes()
                    await self._keep(self._decoder.feed(data))
                    if self._decoder.reader.ended and linger.when() is None:
                        self._heard.on_end()
                        linger.reschedule(self._loop.time() + LINGER_SECONDS)
                    if self._decoder.reader.done:
                        self._end()
                await self._keep(self._decoder.end())
        except Exception as error:
            if not self._decoder.reader.ended:
                # Raised to the consumer, after what came before it.
                self._error = error
        finally:
            self._end()

    async def _keep(self, chunks: Iterable[Chunk]) -> None:
        """Take in what a piece of the body has brought.

        Wait behind the first words until they were handed on, and where too much is here that was not.
        """
        has_said = False
        for chunk in chunks:
            self._chunks.append(chunk)
            self._characters += len(chunk.text)
            if chunk.speaks and not has_said:
                has_said = True
                self._heard.on_words()
            if self._decoder.reader.ended:
                self._heard.on_end()
            if self._characters > MAX_BUFFERED_CHARACTERS:
                self._came()
                await self._handed_on()
        if self._chunks:
            self._came()
            if has_said and not self._has_spoken:
                # Where the whole answer is here already, to read it takes longer than to send its first words.
                self._has_spoken = True
                await self._handed_on()

    async def _handed_on(self) -> None:
        """Return when the consumer has come back for more."""
        self._room.clear()
        await self._room.wait()

    def _end(self) -> None:
        self._over = True
        self._due.set()

    def _came(self) -> None:
        """Wake the consumer, now or when the period is over."""
        if self._loop.time() >= self._next:
            self._due.set()
        elif self._timer is None:
            self._timer = self._loop.call_at(self._next, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._due.set()

    def _take(self) -> list[Chunk]:
        """The next batch."""
        batch: list[Chunk] = []
        size = 0
        while self._chunks and size < MAX_BATCH_CHARACTERS:
            batch.append(self._chunks.popleft())
            size += len(batch[-1].text)
        self._characters -= size
        return batch

    def _rest(self) -> None:
        """See to what a batch has left behind, and read on: the consumer is done with it."""
        self._room.set()
        if self._over and self._characters <= MAX_BATCH_CHARACTERS:
            self._due.set()
        elif self._chunks:
            self._came()

    async def aclose(self) -> None:
        """Stop reading and close the response. An answer that is over is read to the end of its body, for a moment."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            if self._reader is not None and self._decoder.reader.done:
                self._room.set()
                await asyncio.wait([self._reader], timeout=DRAIN_SECONDS)
        finally:
            # Also where the wait is cancelled: nobody closes a response twice.
            if self._reader is not None:
                self._reader.cancel()
                await asyncio.wait([self._reader])
            await self._response.aclose()
