"""Calls that were begun and of which nobody knows what came: the model is told so, and nobody makes them again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sessions_app.conversations.transcript import NewMessage
from sessions_app.llm.content.codec import encode, known
from sessions_app.llm.content.parts import Parts, ToolCall, tool_calls
from sessions_app.llm.content.rows import tool_row
from sessions_app.models import MessageRole

UNKNOWN = "Nobody knows whether this call was carried out: it was begun, and what came of it was lost."


def mark(text: str, parts: Parts) -> dict[str, Any]:
    """Return what is noted with a turn before the calls of an answer are made: the answer, not stored yet."""
    return {"text": text, "parts": encode(parts)}


def marked(noted: Any) -> tuple[str, Parts]:
    """Return the answer that was noted; an empty one where it cannot be read."""
    if not isinstance(noted, dict) or not isinstance(noted.get("text"), str):
        return "", ()
    return noted["text"], known(noted.get("parts"))


def results_of(parts: Parts) -> tuple[NewMessage, ...]:
    """Return the results of the calls of an answer that the host has begun, and of which it knows nothing."""
    return tuple(result_row(call, UNKNOWN) for call in _own(parts))


def result_row(call: ToolCall, text: str) -> NewMessage:
    """Return the row of what a call of the host's has come to."""
    row = tool_row(call.id, call.name, text)
    return NewMessage(MessageRole.TOOL, row.text, row.parts)


def _own(parts: Parts) -> Iterable[ToolCall]:
    return (call for call in tool_calls(parts) if not call.client)
