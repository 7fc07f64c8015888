"""What a filter asks of the database. An attribute that cannot be asked for is refused, never left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import TypeAlias

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from sessions_app.accounts.names import shapes_of
from sessions_app.llm.content.unicode import clean
from sessions_app.scim import filters
from sessions_app.scim.errors import bad
from sessions_app.scim.filters import AllOf, Comparison, Filter, Not, Value, Within

Field: TypeAlias = Callable[[str, Value], Q]
"""``field(operator, value)``: for which rows a comparison of one attribute is true."""

NEVER = Q(pk__in=[])
_EVER = Q(pk__isnull=False)
_LONGEST_ID = 18
_ORDERED = {"gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}
_TEXT = {"co": "contains", "sw": "startswith", "ew": "endswith"}


def query(text: str, fields: Mapping[str, Field]) -> Q:
    """Return what a filter asks for, by the attributes of one kind of resource. Raises ScimError."""
    if clean(text) != text:
        raise bad("invalidFilter", "The filter holds characters that no value has.")
    return _query(filters.parse_filter(text), fields)


def _query(asked: Filter, fields: Mapping[str, Field]) -> Q:
    match asked:
        case Comparison(attribute, operator, value):
            if attribute not in fields:
                raise bad("invalidFilter", f"{attribute[:100]!r} cannot be filtered by.")
            return fields[attribute](operator, value)
        case Not(inner):
            return ~_query(inner, fields)
        case Within(attribute, inner):
            prefix = f"{attribute}."
            own = {name.removeprefix(prefix): field for name, field in fields.items() if name.startswith(prefix)}
            return _query(inner, own)
        case _:
            join = and_ if isinstance(asked, AllOf) else or_
            return reduce(join, [_query(each, fields) for each in asked.filters])


def key_of(value: object) -> int | None:
    """Return the key of a row whose id is this; None where no row can have it."""
    is_id = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID
    return int(str(value)) if is_id else None


def by_id(operator: str, value: Value) -> Q:
    """Compare ids, as a whole only."""
    match operator:
        case "eq":
            return Q(pk=key) if (key := key_of(value)) is not None else NEVER
        case "ne":
            return ~by_id("eq", value)
        case "pr":
            return _EVER
        case _:
            raise _not_so(operator)


def by_text(column: str, *, exact: bool = False) -> Field:
    """Compare texts: letter by letter if ``exact``, else without regard to case."""
    case = "" if exact else "i"

    def field(operator: str, value: Value) -> Q:
        if operator == "pr":
            return ~_is_empty(column)
        if value is None and operator in ("eq", "ne"):
            return _is_empty(column) if operator == "eq" else ~_is_empty(column)
        if not isinstance(value, str):
            raise bad("invalidFilter", "A text is compared with a text in quotation marks.")
        if operator in _ORDERED:
            return Q((f"{column}__{_ORDERED[operator]}", value))
        if operator in _TEXT:
            return Q((f"{column}__{case}{_TEXT[operator]}", value))
        equal = Q((f"{column}__{case}exact", value))
        return equal if operator == "eq" else ~equal

    return field


def by_name(operator: str, value: Value) -> Q:
    """Compare names of users. An equal one is found by its index, and in any alphabet's case."""
    if operator not in ("eq", "ne") or not isinstance(value, str):
        return by_text("username")(operator, value)
    users = get_user_model().objects.filter(Q(name_shapes__shape__in=shapes_of(value)) | Q(username=value))
    # What looks alike is not the same.
    equal = {pk for pk, name in users.values_list("pk", "username") if name.casefold() == value.casefold()}
    return Q(pk__in=equal) if operator == "eq" else ~Q(pk__in=equal)


def by_flag(column: str) -> Field:
    """Compare with true and false."""

    def field(operator: str, value: Value) -> Q:
        if operator == "pr":
            return _EVER
        if operator not in ("eq", "ne") or not isinstance(value, bool):
            raise _not_so(operator)
        return Q((column, value is (operator == "eq")))

    return field


def by_time(column: str) -> Field:
    """Compare times."""

    def field(operator: str, value: Value) -> Q:
        if operator == "pr":
            return _EVER
        at = _time_of(value)
        if operator in _ORDERED:
            return Q((f"{column}__{_ORDERED[operator]}", at))
        if operator not in ("eq", "ne"):
            raise _not_so(operator)
        return Q((column, at)) if operator == "eq" else ~Q((column, at))

    return field


def by_constant(constant: Value) -> Field:
    """Compare what all values have alike."""

    def field(operator: str, value: Value) -> Q:
        if operator == "pr":
            return _EVER
        if operator not in ("eq", "ne"):
            raise _not_so(operator)
        return _EVER if (value == constant) is (operator == "eq") else NEVER

    return field


def _is_empty(column: str) -> Q:
    return Q((column, "")) | Q((f"{column}__isnull", True))


def _time_of(value: Value) -> datetime:
    try:
        at = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 1970 <= at.year <= 9998:
        raise bad("invalidFilter", "A time is compared with a time such as 2026-01-31T12:00:00Z.")
    return at


def _not_so(operator: str) -> Exception:
    return bad("invalidFilter", f"This attribute cannot be compared by {operator!r}.")
