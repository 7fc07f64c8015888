"""What the readers of all wires share: a frame read tolerantly, how an answer ended, the provider's own words for it.

A reader belongs to one answer. It takes the frames that came and yields chunks that the SDK surely understands: what a
server says twice, in another type or under another name is put right here, and what means nothing is left out.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from sessions_app.llm.finish import Finish
from sessions_app.llm.wire.chunks import Chunk
from sessions_app.llm.wire.errors import UnreadableAnswerError

Frame = dict[str, Any]


class Reader(ABC):
    """One wire's answer, as far as it has come.

    `ended`: the provider has said that its answer is over; a connection that closes before that has broken off.
    `done`: it has also said all that it counts. `finish`: why the answer is not whole, although it is over.
    """

    def __init__(self) -> None:
        self.ended = False
        self.done = False
        self.finish: Finish | None = None

    @abstractmethod
    def read(self, name: str, frame: Frame) -> Iterator[Chunk]:
        """The chunks of one frame; `name` is its event's."""

    @abstractmethod
    def whole(self, body: Frame) -> Iterator[Chunk]:
        """The chunks of a whole answer that came as one JSON object in place of a stream."""

    def last_mark(self) -> None:
        """Take note of `[DONE]`, which ends a stream of chat completions and means nothing on other wires."""
        return

    def over(self, finish: Finish | None) -> None:
        """Note that the answer is over. What an earlier frame has said of it counts more."""
        self.ended = True
        self.finish = self.finish or finish


def parsed(data: str) -> Frame | None:
    """The JSON object of an event; None for anything else, which means nothing. Raises UnreadableAnswerError."""
    if not data.lstrip().startswith("{"):
        return None
    try:
        frame = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswerError from error
    return frame if isinstance(frame, dict) else None


def text_of(value: object) -> str:
    """A text; empty for anything else."""
    return value if isinstance(value, str) else ""


def object_of(value: object) -> Frame:
    """A JSON object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def objects_of(value: object) -> list[Frame]:
    """The objects of a JSON array; none for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def number_of(value: object) -> int | None:
    """A whole number; None for anything else (a truth value is no number)."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def arguments_of(value: object) -> str:
    """A call's arguments as JSON text: some servers send the object itself."""
    return text_of(value) if isinstance(value, str) else "" if value is None else json.dumps(value)


def counts_of(usage: object) -> Frame:
    """The counts of a usage, and of the details in it; what is no number is left out."""
    counts: Frame = {}
    for name, value in object_of(usage).items():
        if isinstance(value, dict):
            counts[name] = counts_of(value)
        elif isinstance(value, float) and value.is_integer():
            counts[name] = int(value)
        elif number_of(value) is not None:
            counts[name] = value
    return counts


def error_of(frame: Frame) -> Frame | None:
    """What a frame reports as an error, in OpenAI's form; None if it reports none."""
    error = frame.get("error")
    if error is None and frame.get("object") == "error":
        error = frame
    if not error:
        return None
    return error if isinstance(error, dict) else {"message": str(error)}
