"""Server-sent events, and the marks between them where a script may hold or break an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .script import Answer


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event: its name (None: unnamed) and its data (a string goes as it is)."""

    name: str | None
    data: dict[str, Any] | str

    def encode(self) -> bytes:
        """The event's bytes."""
        data = self.data if isinstance(self.data, str) else json.dumps(self.data, separators=(",", ":"))
        name = "" if self.name is None else f"event: {self.name}\n"
        return f"{name}data: {data}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Mark:
    """The place just before the word of that index; those behind the words are in the midst of the calls."""

    index: int


def spoken(answer: Answer, event: Callable[[str], Event]) -> Iterator[Event | Mark]:
    """The answer's words as events, each with its mark before it, and a mark after the last."""
    for index, word in enumerate(answer.words):
        yield Mark(index)
        yield event(word)
    yield Mark(len(answer.words))


def argued(answer: Answer, number: int, event: Callable[[str], Event]) -> Iterator[Event | Mark]:
    """The arguments of the answer's call of that number, as two events with the call's mark between them."""
    arguments = answer.calls[number].arguments
    half = len(arguments) // 2
    yield event(arguments[:half])
    yield Mark(len(answer.words) + 1 + number)
    yield event(arguments[half:])


def named(data: dict[str, Any]) -> Event:
    """An event that carries its name in its data's `type` too, as Responses and Anthropic messages do."""
    return Event(data["type"], data)
