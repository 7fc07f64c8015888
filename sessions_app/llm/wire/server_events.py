"""Server-sent events: bytes → events, as the WHATWG's HTML standard parses them (section 9.2.6).

Lines may end with LF, CR or CRLF, also where a chunk of bytes ends between the two. A byte order mark at the beginning,
comments, unknown fields and events without data are skipped. One thing is more tolerant than the standard: an event
whose closing empty line never came is handed out at the end, because some servers close the connection right behind
their last line. Whoever reads it must bear that it was cut.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventTooLargeError(ValueError):
    """An event has more bytes than the parser was allowed to keep."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name (empty: none was given) and its data, lines joined by LF."""

    name: str
    data: str


class EventParser:
    """Parses one stream. Lives as long as its response; keeps at most `max_bytes` of an unfinished event."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._searched = 0
        self._at_start = True
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[ServerEvent]:
        """The events that `data` completes. Raises EventTooLargeError."""
        self._buffer += data
        if self._at_start and not self._skip_mark():
            return
        for line in self._lines():
            if event := self._take(line):
                yield event
        if self._size + len(self._buffer) > self._max_bytes:
            raise EventTooLargeError

    def end(self) -> Iterator[ServerEvent]:
        """The event that the stream's end has cut off, if there is one."""
        self._skip_mark()
        line = bytes(self._buffer).removesuffix(b"\r")
        self._buffer.clear()
        for last in (line, b""):
            if event := self._take(last):
                yield event

    def _skip_mark(self) -> bool:
        """Skip a byte order mark; False while more bytes are needed to know whether there is one."""
        if codecs.BOM_UTF8.startswith(self._buffer) and len(self._buffer) < len(codecs.BOM_UTF8):
            return False
        if self._at_start and self._buffer.startswith(codecs.BOM_UTF8):
            del self._buffer[: len(codecs.BOM_UTF8)]
        self._at_start = False
        return True

    def _lines(self) -> Iterator[bytes]:
        """The whole lines in the buffer. A CR at its very end waits: a LF may follow."""
        start = 0
        for match in _LINE_END.finditer(self._buffer, self._searched):
            if match.end() == len(self._buffer) and match[0] == b"\r":
                break
            yield bytes(self._buffer[start : match.start()])
            start = match.end()
        del self._buffer[:start]
        self._searched = max(0, len(self._buffer) - 1)

    def _take(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value.decode("utf-8", "replace"))
            self._size += len(value)
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> ServerEvent | None:
        event = ServerEvent(self._name, "\n".join(self._data)) if self._data else None
        self._name, self._size = "", 0
        self._data.clear()
        return event
