"""The types of every method: what it takes, what it answers.

Read strictly: nothing is converted, nothing undeclared is taken, null is not the same as left
out (except for ``cursor``, which an answer may have given as null). The first rule that is
broken decides: types and values (-32602), then lengths (-32002).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

from django.conf import settings
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from sessions_app.api.decode import InvalidParams, is_text
from sessions_app.api.events import FactNotification
from sessions_app.conversations.schemas import (
    ChoiceShape,
    MessageShape,
    ProfileShape,
    QueuedShape,
    RunShape,
    SessionShape,
    Shape,
    TotalsShape,
)
from sessions_app.conversations.search import QUERY_LENGTH, HitShape
from sessions_app.errors import TooLarge
from sessions_app.models.sessions import TITLE_LENGTH
from sessions_app.session_store.chats import Changes, Cursor

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_HIGHEST_POSITION = 2**63 - 1
TEXTS_AT_ONCE = 200
COMMENT_LENGTH = 2_000


def _text(value: str) -> str:
    if "\0" in value or not is_text(value):
        raise ValueError("must not hold NUL or lone surrogates")
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


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
    if not isinstance(value, str) or not value.isascii():
        raise ValueError("is no cursor")
    return Cursor.decode(value)


Text = Annotated[str, AfterValidator(_text)]
SaidText = Annotated[Text, AfterValidator(_said)]
Title = Annotated[
    Text, StringConstraints(strip_whitespace=True), WithJsonSchema({"type": "string", "maxLength": TITLE_LENGTH})
]
Query = Annotated[Text, WithJsonSchema({"type": "string", "maxLength": QUERY_LENGTH})]
Id = Annotated[UUID, PlainValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
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
    """The parameters of a method."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def lengths(self) -> Iterator[tuple[int, int]]:
        """Yield the lengths that have a limit, in characters, each with that limit."""
        yield from ()


class CreateParams(Params):
    title: Title = ""
    profile: ProfileId = LEFT_OUT

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.title), TITLE_LENGTH


class ListParams(Params):
    limit: Limit = PAGE
    cursor: PageCursor = None
    query: Query = ""
    archived: bool = False

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.query), QUERY_LENGTH


class SessionParams(Params):
    session_id: Id


class OpenParams(SessionParams):
    limit: Limit = PAGE


class MessagesParams(SessionParams):
    """One of ``before``, ``after`` and ``around`` must be given."""

    before: Position = LEFT_OUT
    after: Position = LEFT_OUT
    around: Id = LEFT_OUT
    limit: Limit = PAGE

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_fields_set & {"before", "after", "around"}) != 1:
            raise ValueError("one of before, after and around must be given")
        return self


class UpdateParams(SessionParams):
    title: Annotated[Title, AfterValidator(_said)] = LEFT_OUT
    archived: bool = LEFT_OUT
    pinned: bool = LEFT_OUT
    profile: ProfileId = LEFT_OUT

    @property
    def changes(self) -> Changes:
        """Only what was given."""
        given: Changes = self.model_dump(include=self.model_fields_set - {"session_id"})  # type: ignore[assignment]
        return given

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.title or ""), TITLE_LENGTH


class SearchParams(Params):
    query: Annotated[Query, AfterValidator(_said)]
    session_id: Id = LEFT_OUT
    limit: Limit = PAGE

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.query), QUERY_LENGTH


class StartParams(SessionParams):
    text: SaidText
    message_id: Id = LEFT_OUT
    revision: Position = LEFT_OUT

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.text), settings.HERMES_MAX_TEXT


class RegenerateParams(SessionParams):
    message_id: Id = LEFT_OUT
    profile: ProfileId = LEFT_OUT


class EditParams(Params):
    message_id: Id
    text: SaidText
    new_id: Id = LEFT_OUT

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.text), settings.HERMES_MAX_TEXT


class ForkParams(Params):
    message_id: Id


class RateParams(Params):
    message_id: Id
    rating: Rating | None
    comment: Text = ""

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield len(self.comment), COMMENT_LENGTH


class SelectParams(Params):
    message_id: Id


class StopParams(SessionParams):
    run_id: Id = LEFT_OUT


class SinceParams(Params):
    cursor: Annotated[int, Field(ge=0, le=_HIGHEST_POSITION)]
    limit: Limit = PAGE


class RenderParams(Params):
    texts: Annotated[list[Text], Field(min_length=1, max_length=TEXTS_AT_ONCE)]

    def lengths(self) -> Iterator[tuple[int, int]]:
        yield sum(map(len, self.texts)), settings.HERMES_MAX_TEXT


class SessionResult(Shape):
    session: SessionShape


class ListResult(Shape):
    """``running``: the ids of those listed in which a turn runs."""

    sessions: list[SessionShape]
    running: list[UUID]
    next_cursor: str | None
    cursor: int


class MessagesResult(Shape):
    messages: list[MessageShape]
    has_more: bool


class WindowResult(MessagesResult):
    """``has_more``: there are older messages, ``has_newer``: there are newer ones."""

    has_newer: bool


class OpenResult(MessagesResult):
    session: SessionShape
    run: RunShape | None
    queued: list[QueuedShape]
    cursor: int


class SinceResult(Shape):
    """``reset``: what was asked for is no longer kept, or beyond the newest, so everything must be fetched again."""

    events: list[FactNotification]
    cursor: int
    has_more: bool
    reset: bool


class LedgerResult(TotalsShape):
    profile: ProfileShape


class ProfilesResult(Shape):
    profiles: list[ChoiceShape]


class EmptyResult(Shape):
    pass


class SessionsUsed(Shape):
    """How many sessions there are, and how many may be."""

    count: int
    quota: int


class TextUsed(Shape):
    """How many characters the sessions hold, and how many they may."""

    characters: int
    quota: int


class UsageResult(Shape):
    sessions: SessionsUsed
    text: TextUsed


class NoParams(Params):
    pass


class SearchResult(Shape):
    hits: list[HitShape]


class StartResult(Shape):
    run_id: UUID
    message: MessageShape
    queued: bool


class RegenerateResult(Shape):
    run_id: UUID
    session: SessionShape


class EditResult(Shape):
    run_id: UUID
    message: MessageShape
    session: SessionShape


class MessageResult(Shape):
    message: MessageShape


class SelectResult(MessagesResult):
    session: SessionShape


class StopResult(Shape):
    stopped: bool


class RenderResult(Shape):
    html: list[str]


P = TypeVar("P", bound=Params)


def read(kind: type[P], raw: dict[str, Any] | list[Any]) -> P:
    """Return the parameters of a request. Raises InvalidParams, TooLarge."""
    try:
        params = kind.model_validate(raw)
    except ValidationError as error:
        raise InvalidParams(_first(error)) from None
    for length, limit in params.lengths():
        if length > limit:
            raise TooLarge(f"At most {limit} characters are taken.", limit=limit)
    return params


def _first(error: ValidationError) -> str:
    """Name the first broken rule, without a word of what was sent."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "extra_forbidden":
        return "There is a parameter that this method does not have."
    place = ".".join(str(part) for part in first["loc"]) or "params"
    return f"{place}: {first['msg']}."
