"""What an error's ``data`` says, by kind of error; one that is not listed has none."""

from __future__ import annotations

from collections.abc import Mapping
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

    quota: Literal["sessions", "text", "memories", "memory_text"]
    used: int
    limit: int


class ConflictData(Shape):
    """What is so: the session's revision, or its profile (null where it was removed), or the id that is taken."""

    revision: int = _LEFT_OUT
    profile: int | None = _LEFT_OUT
    message_id: UUID = _LEFT_OUT


DATA: Mapping[type[CommandError], tuple[type[Shape], ...]] = {
    TooLarge: (LimitData,),
    TooMany: (WaitData, QuotaData),
    Conflict: (ConflictData,),
}
