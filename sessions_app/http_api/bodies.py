"""Read the JSON in a request's body. For a thread: a body may be megabytes.

While JSON is parsed no other thread has the interpreter, so what is made of many small pieces is refused before that
(15 MB of empty lists held the event loop for ten seconds): there texts may be long, and not many.
"""

from __future__ import annotations

import re
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sessions_app.http_api.errors import ApiError

MAX_PIECES = 100_000
"""Strings, lists, objects and commas of one body: a message has some 20 at the most."""
_BACKSLASH = ord("\\")
# What a place is called where one of several types is taken.
_TYPE = re.compile(r"str|_\w+|(list|dict)\[.*")


class Lenient(BaseModel):
    """A body, or a part of one, of which what the host does not know is ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")


B = TypeVar("B", bound=BaseModel)


def parse(kind: type[B], body: bytes) -> B:
    """Return what a body says. Raises ApiError."""
    check_pieces(body)
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False, include_input=False)
        # Where one of several types is taken, what is wrong with the one that was meant lies deepest.
        deepest = max(told, key=lambda each: len(each["loc"]))
        raise ApiError(400, f"{deepest['msg']}.", param=_param(deepest["loc"]) or None) from None


def check_pieces(body: bytes) -> None:
    """Refuse JSON of very many small pieces before it is parsed. Raises ApiError."""
    if not _has_few_pieces(body):
        raise ApiError(400, f"The body has more than {MAX_PIECES:,} pieces.")


def _has_few_pieces(body: bytes) -> bool:
    """Tell whether JSON has at most MAX_PIECES; in small steps, between which other threads run."""
    pieces = position = 0
    while pieces <= MAX_PIECES:
        start = body.find(b'"', position)
        end = start if start >= 0 else len(body)
        pieces += 1 + sum(body.count(mark, position, end) for mark in (b"[", b"{", b","))
        if start < 0:
            break
        position = _end_of_string(body, start + 1)
    return pieces <= MAX_PIECES


def _end_of_string(body: bytes, start: int) -> int:
    """Return the position behind the quotation mark that ends the string that begins here."""
    quote = body.find(b'"', start)
    while quote >= 0:
        before = quote
        while before > start and body[before - 1] == _BACKSLASH:
            before -= 1
        if (quote - before) % 2 == 0:
            return quote + 1
        quote = body.find(b'"', quote + 1)
    return len(body)


def _param(loc: tuple[int | str, ...]) -> str:
    """Return a place as OpenAI names it: ``messages[0].role``."""
    own = [part for part in loc if isinstance(part, int) or not _TYPE.fullmatch(part)]
    named = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in own)
    return named.lstrip(".")
