"""The shape of an approval on the wire: a call of a tool that a person must approve."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from sessions_app.conversations.shape import Shape, is_none


class ApprovalShape(Shape):
    """A call that waits for a person, or that one has decided; ``arguments`` is the model's own JSON text.

    ``run_id`` is the turn that ended to wait for it. ``decision`` is null while it waits. ``note`` is what the person
    said with it; ``always``: later calls of the tool in this session are approved as well.
    """

    id: UUID
    session_id: UUID
    run_id: UUID
    tool_call_id: str
    tool: str
    arguments: str
    decision: Literal["approved", "refused"] | None
    note: str | None = Field(default=None, exclude_if=is_none)
    always: bool = Field(default=False, exclude_if=lambda value: value is False)
