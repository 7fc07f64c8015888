"""A stored message, as far as a prompt is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sessions_app.llm.content.errors import WAY_OUT, ContentError
from sessions_app.llm.content.files import images_in
from sessions_app.llm.content.parts import (
    FileReference,
    Note,
    Origin,
    Part,
    Parts,
    Reasoning,
    Summary,
    TextSpan,
    ToolCall,
    ToolResult,
    tool_calls,
)

Role = Literal["user", "assistant", "tool"]

SENDABLE: dict[Role, tuple[type, ...]] = {
    "user": (Summary, Note, FileReference),
    "assistant": (Origin, Reasoning, TextSpan, ToolCall),
    "tool": (ToolResult, FileReference),
}
"""The parts that can be sent with a row of each role."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the history needs to know of one stored message. `text` is the authority on what it says.

    Of a user's row with documents `text` begins with what these say (`files.told`).
    `position` is its place in its line of the conversation: rising, with gaps. No byte depends on it.
    """

    role: Role
    text: str
    parts: Parts = ()
    status: Literal["complete", "stopped", "interrupted", "failed"] = "complete"
    position: int = field(default=0, compare=False)


def tool_row(call_id: str, name: str, text: str, *, client: bool = False) -> Row:
    """The row of a tool's result; `client` where the tool is the client's own."""
    return Row("tool", text, (ToolResult(call_id, name, client),))


def calls_of(row: Row) -> dict[str, str]:
    """The tool calls of an answer: tool name by call id, in order."""
    if row.role != "assistant":
        return {}
    return {call.id: call.name for call in tool_calls(row.parts)}


def counts(row: Row) -> bool:
    """Whether a row makes a message of its own; a tool's row becomes part of its answer's results."""
    return row.role != "tool" and bool(
        row.text.strip() or calls_of(row) or images_in(row.parts) or not is_sendable(row)
    )


def is_sendable(row: Row) -> bool:
    """Whether all of a row can be sent."""
    return all(_is_sendable(part, row.role) for part in row.parts)


def _is_sendable(part: Part, role: Role) -> bool:
    return isinstance(part, SENDABLE[role]) and not (isinstance(part, FileReference) and not part.is_sent)


def check(row: Row) -> None:
    """Refuse a row that would be sent without a part of it. Raises ContentError."""
    if not is_sendable(row):
        kinds = ", ".join(sorted({part.kind for part in row.parts if not _is_sendable(part, row.role)}))
        raise ContentError(
            f"This chat holds a message that cannot be sent to the model whole: it has a part of the kind {kinds}. "
            f"{WAY_OUT}"
        )
