"""The texts of a request: what one may hold, the same in all APIs over HTTP, and what cannot be stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sessions_app.http_api.errors import ApiError

MAX_MESSAGES = 5_000
"""Of one request: all that are not known yet are stored in one transaction."""
MAX_ARGUMENTS = 1_000_000
"""Characters of one call's arguments."""
MAX_FUNCTION_NAME = 64
"""Characters."""


def check_text(text: str, longest: int, param: str) -> None:
    """Refuse a text that cannot be stored. Raises ApiError."""
    if "\0" in text:
        raise ApiError(400, "The text has a NUL character.", param=param)
    if len(text) > longest:
        told = f"A text of {len(text):,} characters; {longest:,} are allowed."
        raise ApiError(400, told, code="string_above_max_length", param=param)


def text_of_part(
    part: Mapping[str, Any], fields: Mapping[str, str], refusal_of: Callable[[object], str], place: str
) -> str:
    """Return the text of a part of a message. Raises ApiError.

    ``fields`` says where the text of each type of part is; ``refusal_of`` a type what is told of any other.
    """
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in fields:
        raise ApiError(400, refusal_of(kind), code="unsupported_value", param=f"{place}.type")
    text = part.get(fields[kind])
    if not isinstance(text, str):
        raise ApiError(400, "The text must be a string.", param=f"{place}.{fields[kind]}")
    return text
