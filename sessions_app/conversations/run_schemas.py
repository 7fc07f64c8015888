"""The shapes on the wire of a running turn."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from sessions_app.conversations.shape import Shape, is_none


class CallProgress(Shape):
    """How far a call is: ``progress`` of ``total``, null where nobody knows, and a word about it."""

    toolCallId: str  # noqa: N815 - within AG-UI's event
    progress: float
    total: float | None
    message: str | None


class RunningCallShape(Shape):
    """A tool call under way: what the tool is given so far, and how far it is where it has said so."""

    id: str
    name: str
    arguments: str
    progress: CallProgress | None = Field(default=None, exclude_if=is_none)


def _is_empty(value: object) -> bool:
    return value == []


class RunShape(Shape):
    """The running turn: ``text`` and ``calls`` with the run events after ``seq`` are the whole answer.

    The calls of a run in another process are not told.
    """

    run_id: UUID
    message_id: UUID
    text: str
    seq: int
    calls: list[RunningCallShape] = Field(default=[], exclude_if=_is_empty)
