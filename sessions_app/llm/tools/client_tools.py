"""Tools that a session's client has brought and runs itself: their definitions, judged before they are frozen.

Whoever reads a request makes `ToolSpec`s of it here, so that every door has the same limits. What is frozen is sent
with each request of the session; a schema that no provider could take would spoil the session for ever.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from sessions_app.llm.content.prefix import ToolSpec, canonical, sorted_by_name

MAX_TOOLS = 128
"""Of one session."""

MAX_SCHEMA_CHARACTERS = 200_000
"""Of all definitions of one session, as JSON text."""

MAX_DEPTH = 40
"""Objects and lists within each other, in one schema."""

MAX_DESCRIPTION = 20_000
"""Characters of one tool's description."""

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


class ToolDefinitionError(ValueError):
    """A definition that cannot be taken; `text` says why, and `name` which tool's it is, None for all together."""

    def __init__(self, text: str, name: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.name = name


def definition(name: str, description: str | None, schema: Mapping[str, Any] | None) -> ToolSpec:
    """Return a tool's definition; without a schema it takes no arguments. Raises ToolDefinitionError."""
    if not NAME.fullmatch(name):
        raise ToolDefinitionError(
            "A tool's name must have 1 to 64 letters, digits, underscores and hyphens.", name=name[:64]
        )
    if description is not None and len(description) > MAX_DESCRIPTION:
        told = f"The description of {name} has {len(description):,} characters; {MAX_DESCRIPTION:,} are allowed."
        raise ToolDefinitionError(told, name=name)
    whole = dict(schema) if schema else dict(_NO_PARAMETERS)
    _check(whole, name)
    spec = ToolSpec(name, description or "", canonical(whole))
    _check_texts(spec)
    return spec


def collected(tools: Iterable[ToolSpec]) -> tuple[ToolSpec, ...]:
    """Return the tools of one session, sorted. Raises ToolDefinitionError for too many, or two of one name."""
    listed = list(tools)
    if len(listed) > MAX_TOOLS:
        raise ToolDefinitionError(f"{len(listed)} tools; {MAX_TOOLS} are allowed.")
    names = [tool.name for tool in listed]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ToolDefinitionError(f"Two tools have the name {twice}.", name=twice)
    size = sum(len(tool.description) + len(tool.parameters) for tool in listed)
    if size > MAX_SCHEMA_CHARACTERS:
        raise ToolDefinitionError(
            f"The tools' definitions have {size:,} characters; {MAX_SCHEMA_CHARACTERS:,} are allowed."
        )
    return sorted_by_name(listed)


def digest_of(tools: Iterable[ToolSpec]) -> str:
    """Return the digest by which a session with the same tools is known; empty for none."""
    told = [[tool.name, tool.description, tool.parameters] for tool in tools]
    return hashlib.sha256(canonical(told).encode()).hexdigest()[:32] if told else ""


def _check(schema: dict[str, Any], name: str) -> None:
    """Refuse what is no schema of an object with named properties. Raises ToolDefinitionError."""
    if _depth(schema) > MAX_DEPTH:
        raise ToolDefinitionError(f"The schema of {name} is nested more than {MAX_DEPTH} deep.", name=name)
    if schema.setdefault("type", "object") != "object":
        raise ToolDefinitionError(f"The schema of {name} must have the type object.", name=name)
    properties = schema.setdefault("properties", {})
    if not isinstance(properties, dict) or not all(isinstance(each, dict | bool) for each in properties.values()):
        raise ToolDefinitionError(f"The properties of {name} must be an object of schemas.", name=name)
    _check_as_request(schema, name)


def _check_as_request(schema: dict[str, Any], name: str) -> None:
    """Refuse what Pydantic AI would refuse in each request. Raises ToolDefinitionError."""
    from pydantic_ai.exceptions import UserError
    from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer

    try:
        OpenAIJsonSchemaTransformer(deepcopy(schema)).walk()
    except UserError as error:
        told = str(error).replace("Invalid JSON Schema", f"The schema of {name} is none")[:300]
        raise ToolDefinitionError(f"{told}.", name=name) from None


def _depth(value: object) -> int:
    """Return how deep objects and lists are nested, without recursion; more than MAX_DEPTH is not counted on."""
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [part for each in inner for part in (each.values() if isinstance(each, dict) else each)]
        depth += bool(inner)
    return depth


def _check_texts(spec: ToolSpec) -> None:
    """Refuse what cannot be sent: half a surrogate, a number that is none. Raises ToolDefinitionError."""
    try:
        json.dumps([spec.description, json.loads(spec.parameters)], ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        told = f"The definition of {spec.name} holds a character or a number that JSON cannot have."
        raise ToolDefinitionError(told, name=spec.name) from None
    if "\0" in spec.description or _NUL.search(spec.parameters):
        raise ToolDefinitionError(f"The definition of {spec.name} has a NUL character.", name=spec.name)
