"""The one pure function that makes a request's messages from a session's rows.

Used by production (a whole transcript, or only its newest rows: `memory`), by the rebuild, and by tests as their
oracle. The rules, each for a reason that a provider gave:

- A stopped, interrupted or failed answer counts with the text it has. Its reasoning and ids do not: they were cut.
- A blank row counts not at all (providers refuse blank texts), unless it calls a tool.
- A tool call without a result gets one that says so; else the provider refuses the session for ever.
- A tool's row whose call does not stand right before it is left out: providers refuse a result nobody asked for,
  and such a row is made only by a hand in the database, never by a turn.
- A branch whose first row that counts is not a user's gets an opening line; Anthropic refuses it otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelRequest

    from .prefix import FrozenPrefix

NO_RESULT = "No result: the tool was not run to its end."
OPENING = "(The beginning of this conversation was deleted.)"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Every message's time: Pydantic AI wants one, sends none, and equal rows shall make equal messages."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the history needs to know of one stored message. `text` is the authority on what it says."""

    role: Literal["user", "assistant", "tool"]
    text: str
    parts: list[dict[str, Any]] | None = None
    status: Literal["complete", "stopped", "interrupted", "failed"] = "complete"


def tool_row(call_id: str, name: str, text: str) -> Row:
    """The row of a tool's result."""
    return Row("tool", text, [{"kind": "result", "id": call_id, "name": name}])


def messages_of(prefix: FrozenPrefix, rows: Sequence[Row], *, model: str) -> list[ModelMessage]:
    """The messages of a request to `model` (a model string): frozen prefix, then the rows of the active branch."""
    return [*head_of(prefix), *body_of([*opening_of(rows), *rows], model=model)]


def head_of(prefix: FrozenPrefix) -> list[ModelMessage]:
    """The frozen prefix as messages (its tools travel beside them)."""
    from pydantic_ai.messages import ModelRequest, SystemPromptPart

    if not prefix.system_prompt:
        return []
    return [ModelRequest(parts=[SystemPromptPart(prefix.system_prompt, timestamp=EPOCH)])]


def opening_of(rows: Iterable[Row]) -> list[Row]:
    """The opening line, where the first row that counts needs one."""
    first = next(filter(counts, rows), None)
    return [Row("user", OPENING)] if first is not None and first.role == "assistant" else []


def body_of(rows: Sequence[Row], *, model: str) -> list[ModelMessage]:
    """The messages of consecutive rows; a call and its results must be among the same rows."""
    from .answers import response_of

    messages: list[ModelMessage] = []
    for index, row in enumerate(rows):
        if not counts(row):
            continue
        if row.role == "user":
            messages.append(_said(row.text))
        else:
            messages.append(response_of(row, model))
            if calls := calls_of(row):
                messages.append(_results(calls, rows[index + 1 :]))
    return messages


def calls_of(row: Row) -> dict[str, str]:
    """The tool calls of an answer: tool name by call id, in order."""
    if row.role != "assistant":
        return {}
    return {part["id"]: part["name"] for part in row.parts or () if part["kind"] == "call"}


def counts(row: Row) -> bool:
    """Whether a row makes a message of its own; a tool's row becomes part of its answer's results."""
    return row.role != "tool" and bool(row.text.strip() or calls_of(row))


def _said(text: str) -> ModelRequest:
    from pydantic_ai.messages import ModelRequest, UserPromptPart

    return ModelRequest(parts=[UserPromptPart(text, timestamp=EPOCH)])


def _results(calls: dict[str, str], following: Sequence[Row]) -> ModelRequest:
    """One message with a result for each call, in the order of the calls, from the tool rows right behind them."""
    from pydantic_ai.messages import ModelRequest, ToolReturnPart

    results: dict[str, str] = {}
    for row in following:
        if row.role != "tool":
            break
        for part in row.parts or ():
            results.setdefault(part["id"], row.text)
    return ModelRequest(
        parts=[
            ToolReturnPart(name, results.get(call_id, NO_RESULT), call_id, timestamp=EPOCH)
            for call_id, name in calls.items()
        ]
    )
