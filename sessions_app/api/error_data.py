"""What an error's ``data`` says, by kind of error; one that is not listed has none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from sessions_app.conversations.shape import Shape
from sessions_app.errors import CommandError, Conflict, TooLarge, TooMany


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default")


_LEFT_OUT: Any = Field(default=None, json_schema_extra=_without_default)


class LimitData(Shape):
    """What is allowed: characters, of all texts together; of a batch, requests."""

    limit: int


class WaitData(Shape):
    """In how many seconds to try again."""

    retry_after: Annotated[int, Field(ge=1)]


class QuotaData(Shape):
    """What is used up, so that waiting does not help."""

    quota: Literal["sessions", "text", "memories", "memory_text", "shares"]
    used: int
    limit: int


class BudgetData(Shape):
    """Which budget has too little left, and when it resets; ``retry_after`` is in how many seconds to try again.

    That is sooner than the reset where turns under way hold what is left.
    """

    retry_after: Annotated[int, Field(ge=1)]
    budget: str
    resets_at: datetime


class DecidedData(Shape):
    """What was decided on a call, null where nothing was yet, and the turn that goes on with it."""

    approval_id: UUID
    decision: Literal["approved", "refused"] | None
    run_id: UUID | None


class ConflictData(Shape):
    """What is so: the session's revision, or its profile (null where it was removed), or the id that is taken.

    ``approvals`` are those that were named, of which one was decided already. ``legal_hold``: nothing of the account
    can be deleted now.
    """

    revision: int = _LEFT_OUT
    profile: int | None = _LEFT_OUT
    message_id: UUID = _LEFT_OUT
    approvals: list[DecidedData] = _LEFT_OUT
    legal_hold: bool = _LEFT_OUT


DATA: Mapping[type[CommandError], tuple[type[Shape], ...]] = {
    TooLarge: (LimitData,),
    TooMany: (WaitData, QuotaData, BudgetData),
    Conflict: (ConflictData,),
}
