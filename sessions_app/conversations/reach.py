"""How far the transaction under way reaches: to all that its user has, or to the chats of one profile alone.

An API token may be for one profile. Then its caller says so here, in the thread of the transaction, and whatever looks
rows up for a user leaves the chats of other profiles out: they are answered like those that do not exist.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)

_OF_PROFILE = """AND EXISTS (SELECT 1 FROM sessions_app_chatsession AS reached
            WHERE reached.id = {column} AND reached.profile_id = %s)"""


class _Reach(threading.local):
    profile_id: int | None = None


_reach = _Reach()


@contextmanager
def limited(profile_id: int | None) -> Iterator[None]:
    """Reach no further than the chats of a profile, until the block is left; None: to all of them."""
    _reach.profile_id = profile_id
    try:
        yield
    finally:
        _reach.profile_id = None


def profile() -> int | None:
    """Return the one profile whose chats are reached; None where all are."""
    return _reach.profile_id


def reached(rows: QuerySet[M], column: str = "profile") -> QuerySet[M]:
    """Return those of the rows that are reached; ``column`` leads from them to the profile."""
    return rows if _reach.profile_id is None else rows.filter(**{column: _reach.profile_id})


def clause(column: str) -> tuple[str, list[object]]:
    """Return what SQL has to ask besides, and its parameters; ``column`` is the id of a row's session."""
    if _reach.profile_id is None:
        return "", []
    return _OF_PROFILE.format(column=column), [_reach.profile_id]
