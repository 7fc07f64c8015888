"""The one pure function that makes a request's messages from a session's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage

    from .prefix import FrozenPrefix


@dataclass(frozen=True, slots=True)
class Row:
    """What the history needs to know of one stored message. `text` is the authority on what it says."""

    role: Literal["user", "assistant", "tool"]
    text: str
    parts: list[dict[str, Any]] | None = None
    status: Literal["complete", "stopped", "interrupted", "failed"] = "complete"


def tool_row(call_id: str, name: str, text: str) -> Row:
    """The row of a tool's result."""
    raise NotImplementedError


def messages_of(prefix: FrozenPrefix, rows: Sequence[Row], *, model: str) -> list[ModelMessage]:
    """The messages of a request to `model` (a model string): frozen prefix, then the rows of the active branch."""
    raise NotImplementedError
