"""From the text of a frame to a JSON-RPC request or a batch of them, or the error that JSON-RPC has for it.

Python's own JSON reader takes NaN and 1e400, raises other things than a syntax error for a
number of 5,000 digits, and how deep it reads depends on its version; here all that is no JSON.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn

from sessions_app.errors import CommandError, TooLarge

# Levels; a frame of the API has four.
NESTING = 100
# Requests in one frame: as many as a connection may have under way.
BATCH = 64

RequestId = str | int | float | None


class ParseError(CommandError):
    """The frame is not JSON, or its numbers or nesting are beyond what is read."""

    code = -32700


class InvalidRequest(CommandError):
    """The frame is JSON, but no request."""

    code = -32600


class UnknownMethod(CommandError):
    """There is no such method."""

    code = -32601


class InvalidParams(CommandError):
    """The parameters are not those of the method; the text names the first that is wrong."""

    code = -32602


class InternalError(CommandError):
    """Our fault; the text names no internals."""

    code = -32603


class Refused(Exception):  # a response, not a fault
    """The frame holds no request: ``id`` is what could be read of its id, else None."""

    def __init__(self, error: CommandError, request_id: RequestId = None) -> None:
        super().__init__(error.text)
        self.error = error
        self.id = request_id


@dataclass(frozen=True, slots=True)
class Request:
    """A request; one without an id (``wants_response`` false) is carried out and gets none."""

    id: RequestId
    wants_response: bool
    method: str
    params: dict[str, Any] | list[Any]


def decode(text: str) -> Request | list[Request | Refused]:
    """Return the request in a frame, or the members of a batch. Raises Refused, and nothing else, for any text."""
    frame = _json(text)
    if not isinstance(frame, list):
        return _request(frame)
    if not frame:
        raise Refused(InvalidRequest("A batch has at least one request."))
    if len(frame) > BATCH:
        raise Refused(TooLarge(f"A batch has at most {BATCH} requests.", limit=BATCH))
    return [_member(member) for member in frame]


def _member(frame: Any) -> Request | Refused:
    try:
        return _request(frame)
    except Refused as refused:
        return refused


def _request(frame: Any) -> Request:
    if not isinstance(frame, dict):
        raise Refused(InvalidRequest("A request is a JSON object."))
    if not _is_id(frame.get("id")):
        raise Refused(InvalidRequest("id must be a string, a number or null."))
    problem = _problem(frame)
    if problem:
        raise Refused(InvalidRequest(problem), frame.get("id"))
    return Request(frame.get("id"), "id" in frame, frame["method"], frame.get("params", {}))


def _problem(frame: dict[str, Any]) -> str:
    if frame.get("jsonrpc") != "2.0":
        return 'jsonrpc must be "2.0".'
    if not isinstance(frame.get("method"), str):
        return "method must be a string."
    if not isinstance(frame.get("params", {}), dict | list):
        return "params must be an object."
    return ""


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return is_text(value)
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def is_text(value: str) -> bool:
    """Tell whether a string can be sent as UTF-8: JSON can name lone surrogates, which cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _json(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_not_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Refused(ParseError("The frame is not JSON.")) from None
    if text.count("[") + text.count("{") > NESTING and _is_deep(value):
        raise Refused(ParseError("The frame is nested too deeply."))
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(NESTING):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def _not_finite(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number
