"""Chunks: one event of an answer each, in the form that the provider's SDK reads, with a delta's text kept apart.

What an SDK and Pydantic AI spend on one event (130 to 190 µs) is most of what a turn costs, so neighbours that differ
in nothing but their text are joined. And so that no client is sent a frame of megabytes, long texts are sliced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sessions_app.llm.content.thinking_tags import TAGS

Path = tuple[str | int, ...]

SLICE_CHARACTERS = 16 * 1024
"""The longest text of one chunk before joining."""

_HIGH_SURROGATE = re.compile("[\ud800-\udbff]$")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event: a JSON object `frame`, and the `text` that belongs at `path` in it (empty path: no delta).

    `name` is the event's name on the wire, empty where the wire has none. `speaks`: it brings something of the
    answer (words, thoughts, a call), and is no mere sign of life. `ends`: it only says how the answer ended, or what it
    took, which the chunk before it can say as well.
    """

    frame: dict[str, Any]
    path: Path = ()
    text: str = ""
    name: str = ""
    speaks: bool = False
    ends: bool = False

    @property
    def place(self) -> tuple[str, Path, dict[str, Any]]:
        """What two deltas have in common where the second goes on in the middle of the first."""
        return self.name, self.path, self.frame

    def encoded(self) -> bytes:
        """The server-sent event."""
        frame = json.dumps(_with_text(self.frame, self.path, self.text) if self.path else self.frame)
        return (f"event: {self.name}\ndata: {frame}\n\n" if self.name else f"data: {frame}\n\n").encode()


def _with_text(frame: Any, path: Path, text: str) -> Any:
    """A copy of `frame` with the text at the path."""
    if not path:
        return text
    copied = frame.copy()
    copied[path[0]] = _with_text(frame[path[0]], path[1:], text)
    return copied


def delta(frame: dict[str, Any], path: Path, text: str, name: str = "") -> Chunk:
    """A delta: `frame` has anything at the path."""
    return Chunk(frame, path, text, name, speaks=True)


def sliced(chunk: Chunk) -> Iterator[Chunk]:
    """The chunk, as several where its text is long. No surrogate pair is cut: Python's characters are whole."""
    if len(chunk.text) <= SLICE_CHARACTERS:
        yield chunk
        return
    for start in range(0, len(chunk.text), SLICE_CHARACTERS):
        yield replace(chunk, text=chunk.text[start : start + SLICE_CHARACTERS])


def joined(chunks: Iterable[Chunk]) -> list[Chunk]:
    """The chunks, each run of deltas at one place as one, and with it what only ends the answer."""
    told: list[Chunk] = []
    for chunk in _runs(chunks):
        if told and chunk.ends:
            told[-1] = replace(told[-1], frame=_filled(told[-1].frame, chunk.frame))
        else:
            told.append(chunk)
    return told


def _filled(frame: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """A frame with what another one has besides, also in the first object of a list."""
    filled = frame.copy()
    for name, value in more.items():
        before = frame.get(name)
        if value:
            filled[name] = [_filled(before[0], value[0])] if isinstance(value, list) and before else value
    return filled


def _runs(chunks: Iterable[Chunk]) -> list[Chunk]:
    runs: list[list[Chunk]] = []
    for chunk in chunks:
        if runs and chunk.path and runs[-1][0].place == chunk.place:
            runs[-1].append(chunk)
        else:
            runs.append([chunk])
    return [run[0] if len(run) == 1 else replace(run[0], text="".join(one.text for one in run)) for run in runs]


def as_words(chunk: Chunk) -> Iterator[Chunk]:
    """The chunk, in two where its text is a tag and nothing else: Pydantic AI would take the tag for the beginning of
    a thought, wherever it stands. `thinking_tags` tells thoughts from words, and needs every tag as it was said."""
    if chunk.text in TAGS:
        yield replace(chunk, text=chunk.text[:1])
        yield replace(chunk, text=chunk.text[1:])
    else:
        yield chunk


class SurrogatePairs:
    """Puts characters together whose halves came in two deltas: JSON writes 😀 as two escapes, and some servers cut
    between them. Belongs to one answer."""

    def __init__(self) -> None:
        self._half: Chunk | None = None

    def feed(self, chunk: Chunk) -> Iterator[Chunk]:
        """The chunk, without a first half at its end, which waits for the delta that goes on there.

        What brings nothing of the answer (counts, in each chunk of some servers) passes a half by.
        """
        if not chunk.speaks:
            yield chunk
            return
        if (half := self._half) is not None:
            self._half = None
            if chunk.path and half.place == chunk.place:
                chunk = replace(chunk, text=_paired(half.text + chunk.text))
            else:
                yield half
        if _HIGH_SURROGATE.search(chunk.text):
            self._half = replace(chunk, text=chunk.text[-1])
            chunk = replace(chunk, text=chunk.text[:-1])
        if chunk.text or not chunk.path:
            yield chunk

    def end(self) -> Iterator[Chunk]:
        """A half that nothing followed."""
        if self._half is not None:
            yield self._half
            self._half = None


def _paired(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
