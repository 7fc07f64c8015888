"""Read the operations of a PATCH, as Entra and Okta send them too: names and ``op`` in any case, a value as one object
or a list of them, dotted names in an object without a path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from sessions_app.scim.bodies import Attributes
from sessions_app.scim.errors import bad
from sessions_app.scim.filters import Path, parse_path

SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
Verb = Literal["add", "remove", "replace"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One change: of what, and to which value. That of a removal is None where the provider sent none."""

    verb: Verb
    path: Path
    value: Any


def operations_of(body: Attributes) -> list[Operation]:
    """Return the operations, in their order. Raises ScimError."""
    asked = body.get("operations")
    if not isinstance(asked, list) or not asked:
        raise bad("invalidSyntax", "'Operations' must be a list of operations.")
    return [each for one in asked for each in _operations(one)]


def _operations(asked: object) -> Iterator[Operation]:
    if not isinstance(asked, dict):
        raise bad("invalidSyntax", "An operation is an object with 'op'.")
    verb = str(asked.get("op")).lower()
    if verb not in ("add", "remove", "replace"):
        raise bad("invalidSyntax", "The 'op' of an operation is add, remove or replace.")
    path, value = asked.get("path"), asked.get("value")
    if path is not None and not isinstance(path, str):
        raise bad("invalidPath", "A path is a text.")
    if path:
        yield Operation(cast(Verb, verb), parse_path(path), value)
        return
    if verb == "remove":
        raise bad("noTarget", "A removal names what is removed by its 'path'.")
    if not isinstance(value, dict):
        raise bad("invalidValue", "Without a 'path', the value of an operation is an object of attributes.")
    for name, each in value.items():
        yield Operation(cast(Verb, verb), parse_path(name), each)
