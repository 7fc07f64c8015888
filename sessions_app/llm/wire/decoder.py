"""The body of an answer → its chunks: a stream of events, or one JSON object in its place."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Protocol

from sessions_app.llm.wire.chunks import Chunk, SurrogatePairs, sliced
from sessions_app.llm.wire.errors import PageAnswerError, UnreadableAnswerError
from sessions_app.llm.wire.reading import Reader, parsed
from sessions_app.llm.wire.server_events import EventParser, EventTooLargeError, ServerEvent

LAST_MARK = "[DONE]"


class _Body(Protocol):
    def feed(self, data: bytes) -> Iterator[Chunk]: ...

    def end(self) -> Iterator[Chunk]: ...


class AnswerDecoder:
    """Decodes one answer with the reader of its wire. What it is shows in its first character, whatever its type says.

    Plain Python, so that any cut of the bytes can be tried. `max_bytes` bounds one event, or the whole of an answer
    that is no stream. Raises UnreadableAnswerError.
    """

    def __init__(self, reader: Reader, max_bytes: int) -> None:
        self.reader = reader
        self._max_bytes = max_bytes
        self._head = b""
        self._body: _Body | None = None
        self._pairs = SurrogatePairs()

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """The chunks that these bytes complete."""
        if self._body is None:
            self._head += data
            start = self._head.removeprefix(codecs.BOM_UTF8).lstrip()
            if not start or codecs.BOM_UTF8.startswith(self._head):
                return
            self._body = self._body_of(start[:1])
            data = self._head
        yield from self._finished(self._body.feed(data))

    def end(self) -> Iterator[Chunk]:
        """The chunks that the end of the body completes."""
        if self._body is not None:
            yield from self._finished(self._body.end())
        yield from self._pairs.end()

    def _body_of(self, first: bytes) -> _Body:
        if first == b"<":
            raise PageAnswerError
        kind = _Whole if first in (b"{", b"[") else _Events
        return kind(self.reader, self._max_bytes)

    def _finished(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            for paired in self._pairs.feed(chunk):
                yield from sliced(paired)


class _Events:
    """A stream of events."""

    def __init__(self, reader: Reader, max_bytes: int) -> None:
        self._reader = reader
        self._parser = EventParser(max_bytes)

    def feed(self, data: bytes) -> Iterator[Chunk]:
        try:
            for event in self._parser.feed(data):
                yield from self._read(event)
        except EventTooLargeError as error:
            raise UnreadableAnswerError from error

    def end(self) -> Iterator[Chunk]:
        for event in self._parser.end():
            try:
                yield from self._read(event)
            except UnreadableAnswerError:
                return  # the connection closed in the middle of it

    def _read(self, event: ServerEvent) -> Iterator[Chunk]:
        if event.data.strip() == LAST_MARK:
            self._reader.last_mark()
        elif (frame := parsed(event.data)) is not None:
            yield from self._reader.read(event.name, frame)


class _Whole:
    """One JSON object."""

    def __init__(self, reader: Reader, max_bytes: int) -> None:
        self._reader = reader
        self._max_bytes = max_bytes
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Chunk]:
        self._data += data
        if len(self._data) > self._max_bytes:
            raise UnreadableAnswerError
        yield from ()

    def end(self) -> Iterator[Chunk]:
        frame = parsed(self._data.decode("utf-8-sig", "replace"))
        if frame is None:
            raise UnreadableAnswerError
        yield from self._reader.whole(frame)
