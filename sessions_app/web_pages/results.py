"""What a page says, and how a worker hands that over: as one JSON object."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

MAX_RESULT_BYTES = 20_000_000
"""More than any text that a worker may hand over."""


class PageError(Exception):
    """A page could not be read; ``text`` is a sentence that says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Page:
    """What was read: at which address at last, its title, its text, and what is not in that, empty where it is all."""

    url: str
    title: str
    text: str
    notice: str = ""


def write(file: BinaryIO, told: Page | PageError) -> None:
    """Write what was read."""
    content = {"refused": told.text} if isinstance(told, PageError) else asdict(told)
    file.write(json.dumps(content).encode())
    file.flush()


def read(file: BinaryIO) -> Page:
    """Return what a worker has read. Raises PageError, ValueError where the worker has not come to its end."""
    file.seek(0)
    told: dict[str, Any] = json.loads(file.read(MAX_RESULT_BYTES))
    if "refused" in told:
        raise PageError(told["refused"])
    return Page(**told)
