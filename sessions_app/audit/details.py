"""What a row says besides: a closed set of keys, whose values cannot be a text that somebody wrote.

Numbers, ids and names that programs give (fields, settings, tools) have no spaces; anything else is refused, so that
no careless call can write a word of what was said, a secret or a person's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.utils import timezone

MOST_VALUES = 50
"""How many values of a list are kept."""
MAX_NAME = 64
_NAME = re.compile(rf"[A-Za-z0-9_.:/@+-]{{1,{MAX_NAME}}}")
_ODD = re.compile(r"[^A-Za-z0-9_.:/@+-]")


class Details(TypedDict, total=False):
    """The keys that there are. To record something more, add one: an id, a number, a name that a program gave."""

    user: int | None
    """Whose it is, where that is not the object: the owner of a session or a token."""
    session: UUID
    profile: int | None
    tool_server: int
    tool: str
    fields: Collection[str]
    """Names of what was changed, without a value."""
    group: int | None
    groups_added: Collection[int]
    groups_removed: Collection[int]
    permissions_added: Collection[str]
    permissions_removed: Collection[str]
    profiles_added: Collection[int]
    profiles_removed: Collection[int]
    active: bool
    staff: bool
    superuser: bool
    reads_only: bool
    can_read_metrics: bool
    is_for_scim: bool
    may_hold_rights: bool
    """Of a group that an identity provider fills: it fills it though that gives rights."""
    days: int | None
    audience: str
    enabled: bool
    standing: str
    decision: str
    always: bool
    format: str
    per: str
    unit: str
    amount: int
    warn_at: int
    """Per cent of a budget."""
    archived_days: int | None
    count: int
    """How many, where one row stands for several things."""
    digest: str
    by: str
    """By which way, where there are several."""


class UnsafeDetail(ValueError):
    """A detail that may not be recorded. The message names its key, and never the value."""


def name_of(text: str) -> str:
    """Return a name that a program gave, with what no name should have left out: it may be as odd as a sentence."""
    return _ODD.sub("_", text)[:MAX_NAME] or "_"


def days_until(end: datetime | None) -> int | None:
    """Return in how many days something ends, a begun one counted; None where it never does."""
    return None if end is None else (end - timezone.now()).days + 1


def canonical(details: Details) -> str:
    """Return details as they are stored: JSON, keys in order. Raises UnsafeDetail."""
    known = Details.__annotations__
    told: dict[str, object] = {}
    for key, value in details.items():
        if key not in known:
            raise UnsafeDetail(f"“{key}” is not a key of audit.Details.")
        told[key] = _plain(key, value)
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _plain(key: str, value: object) -> object:
    if isinstance(value, (list, tuple, set, frozenset)):
        values = sorted((_one(key, each) for each in value), key=str)
        more = len(values) - MOST_VALUES
        return [*values[:MOST_VALUES], f"and_{more}_more"] if more > 0 else values
    return _one(key, value)


def _one(key: str, value: object) -> object:
    if value is None or isinstance(value, (bool, int)):
        return value
    text = str(value) if isinstance(value, (str, UUID)) else ""
    if not _NAME.fullmatch(text):
        raise UnsafeDetail(f"The value of “{key}” is no id, number or name.")
    return text
