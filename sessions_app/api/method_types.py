"""The types that methods are declared with: values, parameters, and the results that several share.

Read strictly: nothing is converted, nothing undeclared is taken, null is not the same as left
out (except for ``cursor``, which a result may have given as null). The first rule that is
broken decides: types and values (-32602), then lengths (-32002).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)

from sessions_app.api.decode import InvalidParams, is_text
from sessions_app.api.param_errors import sentence
from sessions_app.conversations.schemas import MessageShape
from sessions_app.conversations.search import QUERY_LENGTH
from sessions_app.conversations.session_schemas import SessionShape
from sessions_app.conversations.shape import Shape
from sessions_app.errors import TooLarge
from sessions_app.models.sessions import TITLE_LENGTH
from sessions_app.session_store.chats import Cursor

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_HIGHEST_POSITION = 2**63 - 1
MAX_FILES = 20
"""Of one message."""


def _text(value: str) -> str:
    if "\0" in value or not is_text(value):
        raise ValueError("must not hold NUL or lone surrogates")
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _said_or_shown(value: str, info: ValidationInfo) -> str:
    return value if info.data.get("files") else _said(value)


def _uuid(value: Any) -> UUID:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError("must be a UUID")
    return UUID(value)


def _rating(value: int) -> int:
    if value not in (1, -1):
        raise ValueError("must be 1, -1 or null")
    return value


def _cursor(value: Any) -> Cursor | None:
    if value is None:
        return None
    try:
        return Cursor.decode(value)
    except ValueError:
        raise ValueError("must be a next_cursor of session.list") from None


Text = Annotated[str, AfterValidator(_text)]
SaidText = Annotated[Text, AfterValidator(_said)]
TextOrFiles = Annotated[Text, AfterValidator(_said_or_shown)]
"""May be blank where the parameter ``files``, declared before it, has some."""
Title = Annotated[
    Text, StringConstraints(strip_whitespace=True), WithJsonSchema({"type": "string", "maxLength": TITLE_LENGTH})
]
SaidTitle = Annotated[Title, AfterValidator(_said)]
Query = Annotated[Text, WithJsonSchema({"type": "string", "maxLength": QUERY_LENGTH})]
SaidQuery = Annotated[Query, AfterValidator(_said)]
Id = Annotated[UUID, PlainValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
FileIds = Annotated[list[Id], Field(max_length=MAX_FILES)]
Rating = Annotated[int, AfterValidator(_rating), WithJsonSchema({"type": "integer", "enum": [1, -1]})]
PageCursor = Annotated[
    Cursor | None, PlainValidator(_cursor), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]})
]


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default")


# Left out it is None, but null is refused: a field of this default is not declared nullable.
LEFT_OUT: Any = Field(default=None, json_schema_extra=_without_default)
ProfileId = Annotated[int, Field(ge=1, le=_HIGHEST_POSITION)]
Position = Annotated[int, Field(ge=0, le=_HIGHEST_POSITION)]
Limit = Annotated[int, Field(ge=1, le=200)]
PAGE = 50


class Params(BaseModel):
    """The parameters of a method. The text below a parameter is its description in the API's document."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    def lengths(self) -> Iterator[tuple[int, int]]:
        """Yield the lengths that have a limit, in characters, each with that limit."""
        yield from ()


class NoParams(Params):
    pass


class SessionParams(Params):
    session_id: Id
    """The session."""


class SessionResult(Shape):
    """The session as it is now."""

    session: SessionShape


class MessagesResult(Shape):
    """Messages of a session, ascending; ``has_more``: there are older ones."""

    messages: list[MessageShape]
    has_more: bool


class EmptyResult(Shape):
    """Nothing: it is done."""


P = TypeVar("P", bound=Params)


def read(kind: type[P], raw: dict[str, Any] | list[Any]) -> P:
    """Return the parameters of a request. Raises InvalidParams, TooLarge."""
    try:
        params = kind.model_validate(raw)
    except ValidationError as error:
        raise InvalidParams(sentence(error)) from None
    for length, limit in params.lengths():
        if length > limit:
            raise TooLarge(f"This is too long: at most {limit:,} characters are allowed. Shorten it.", limit=limit)
    return params
