"""Read the JSON of a request: an object of a known schema, of texts that can be stored. Names come in lower case."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from sessions_app.http_api.bodies import check_pieces
from sessions_app.http_api.errors import ApiError
from sessions_app.llm.content.unicode import clean
from sessions_app.scim.errors import ScimError, bad

Attributes = dict[str, Any]
"""An object of JSON, its names in lower case at every depth: SCIM's have no case."""


def read(request: HttpRequest, schema: str) -> Attributes:
    """Return what a request brings, which must say that it is of this schema. Raises ScimError."""
    body = _parsed(request)
    if not isinstance(body, dict):
        raise bad("invalidSyntax", "The body must be a JSON object.")
    schemas = body.get("schemas")
    if not isinstance(schemas, list) or not any(str(each).lower() == schema.lower() for each in schemas):
        raise bad("invalidSyntax", f"'schemas' must have {schema}.")
    return body


def _parsed(request: HttpRequest) -> Any:
    try:
        body = request.body
    except RequestDataTooBig:
        raise ScimError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large. Send fewer members.") from None
    try:
        check_pieces(body)
    except ApiError as error:
        raise ScimError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error)) from None
    try:
        return _lowered(json.loads(body.decode(), parse_constant=_refuse))
    except (ValueError, RecursionError):
        raise bad("invalidSyntax", "The body is no JSON, or nested too deeply.") from None


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _lowered(value: Any) -> Any:
    """Return a value with its names in lower case. Raises ScimError for a text that no database takes."""
    if isinstance(value, dict):
        return {_lowered(name).lower(): _lowered(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_lowered(each) for each in value]
    if isinstance(value, str) and clean(value) != value:
        raise bad("invalidValue", "A text holds characters that cannot be stored.")
    return value
