"""Lists: what was filtered, in pages; and which attributes are answered (RFC 7644, 3.4.2 and 3.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

from sessions_app.scim.errors import bad
from sessions_app.scim.filters import parse_path

SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
MAX_RESULTS = 200
"""Resources of one page."""
_FURTHEST = 1_000_000_000
_ALWAYS = frozenset(("id", "schemas"))

M = TypeVar("M", bound=Model)
Resource = dict[str, Any]


def listed(resources: list[Resource], total: int, start: int) -> Resource:
    """Return a page of resources, of ``total``; ``start`` is the place of the first one, from 1."""
    return {
        "schemas": [SCHEMA],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def page(asked: QueryDict, found: QuerySet[M], represent: Callable[[list[M]], list[Resource]]) -> Resource:
    """Return the page that is asked for; ``represent`` may return fewer, the first ones. Raises ScimError."""
    start = min(max(_number(asked, "startIndex", 1), 1), _FURTHEST)
    count = min(max(_number(asked, "count", MAX_RESULTS), 0), MAX_RESULTS)
    rows = list(found[start - 1 : start - 1 + count]) if count else []
    return listed([project(asked, each) for each in represent(rows)], found.count(), start)


def _number(asked: QueryDict, name: str, default: int) -> int:
    text = asked.get(name)
    if not text:
        return default
    try:
        return int(text[:20])
    except ValueError:
        raise bad("invalidValue", f"{name!r} is a whole number.") from None


def wants(asked: QueryDict, attribute: str) -> bool:
    """Tell whether an attribute is to be answered at all: it may cost something to find. Raises ScimError."""
    only, without = _names(asked, "attributes"), _names(asked, "excludedAttributes")
    if only:
        return any(name == attribute for name, _ in only)
    return (attribute, "") not in without


def project(asked: QueryDict, resource: Resource) -> Resource:
    """Return those attributes of a resource that are asked for. Raises ScimError."""
    only, without = _names(asked, "attributes"), _names(asked, "excludedAttributes")
    if only:
        return _picked(resource, only, keep=True)
    return _picked(resource, without, keep=False) if without else resource


def _names(asked: QueryDict, parameter: str) -> set[tuple[str, str]]:
    """Return the attributes, with their parts, that a parameter names."""
    names = [name.strip() for name in asked.get(parameter, "").split(",")]
    paths = [parse_path(name) for name in names if name]
    return {(path.attribute, path.part) for path in paths}


def _picked(resource: Resource, names: set[tuple[str, str]], *, keep: bool) -> Resource:
    picked: Resource = {}
    for name, value in resource.items():
        parts = {part for attribute, part in names if attribute == name.lower()}
        if name in _ALWAYS or (("" in parts) if keep else not parts):
            picked[name] = value
        elif parts and "" not in parts:
            picked[name] = _parts(value, parts, keep=keep)
    return picked


def _parts(value: Any, names: set[str], *, keep: bool) -> Any:
    if isinstance(value, list):
        return [_parts(each, names, keep=keep) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: each for name, each in value.items() if (name.lower() in names) is keep}
