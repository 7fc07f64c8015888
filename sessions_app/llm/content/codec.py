"""The stored form of parts: the one place that reads and writes a message's `parts` column.

Version 1 is a list of JSON objects, each with its `kind`, in the order of the answer; what a part has not is left out.
A later version is an object with a `version` and `parts`. A release reads what it knows, exactly: an unknown version,
kind or field may mean something to the model, so a transcript that has one is refused and never sent without it.
People are shown what is known of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Annotated, Any, get_args

from pydantic import Discriminator, TypeAdapter, ValidationError

from sessions_app.llm.content.errors import WAY_OUT, ContentError
from sessions_app.llm.content.parts import Part, Parts

VERSION = 1

_PART: TypeAdapter[Part] = TypeAdapter(Annotated[Part, Discriminator("kind")])
_PARTS: TypeAdapter[list[Part]] = TypeAdapter(list[Annotated[Part, Discriminator("kind")]])
_DEFAULTS = {
    part: {field.name: field.default for field in fields(part) if field.name != "kind"} for part in get_args(Part)
}
"""The fields of each kind, with the value that is left out."""


def decode(column: object) -> Parts:
    """The parts that a column holds. Raises ContentError for what this release does not know."""
    if column is None:
        return ()
    if isinstance(column, dict) and isinstance(version := column.get("version"), int):
        raise ContentError(
            f"This chat holds a message that this release cannot read: its content is of version {version}, "
            f"and version {VERSION} is the newest one known here. {WAY_OUT}"
        )
    if not isinstance(column, list):
        raise ContentError(
            f"This chat holds a message that this release cannot read: its content is damaged. {WAY_OUT}"
        )
    try:
        return tuple(_PARTS.validate_python(column))
    except ValidationError as error:
        # What else the error says may quote the content.
        at = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        raise ContentError(
            f"This chat holds a message that this release cannot read: it does not know a part of its content ({at}). "
            f"{WAY_OUT}"
        ) from None


def is_readable(column: object) -> bool:
    """Whether this release knows all that a column holds."""
    return column is None or (isinstance(column, list) and len(known(column)) == len(column))


def known(column: object) -> Parts:
    """Those of a column's parts that this release knows: to be shown, never to be sent."""
    found: list[Part] = []
    for stored in column if isinstance(column, list) else []:
        try:
            found.append(_PART.validate_python(stored))
        except ValidationError:
            continue
    return tuple(found)


def encode(parts: Iterable[Part]) -> list[dict[str, Any]] | None:
    """What is stored of parts, in version 1; None for none."""
    return [_encoded(part) for part in parts] or None


def _encoded(part: Part) -> dict[str, Any]:
    values = {name: getattr(part, name) for name in _DEFAULTS[type(part)]}
    said = {name: value for name, value in values.items() if value is not _DEFAULTS[type(part)][name]}
    return {"kind": part.kind, **said}
