"""The one table of how a turn's status may change, asked by whatever changes one.

A turn is made ``queued`` or ``running``. What is final stays so: whatever comes later changes no row.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from sessions_app.models import Turn, TurnStatus

INITIAL = frozenset({TurnStatus.QUEUED, TurnStatus.RUNNING})
TRANSITIONS: dict[TurnStatus, frozenset[TurnStatus]] = {
    TurnStatus.QUEUED: frozenset({TurnStatus.RUNNING, TurnStatus.WITHDRAWN}),
    TurnStatus.RUNNING: frozenset({TurnStatus.COMPLETE, TurnStatus.STOPPED, TurnStatus.FAILED, TurnStatus.INTERRUPTED}),
}


class ForbiddenTransition(Exception):
    """A turn's status may not change like this: a fault of ours, whoever asked for it."""


def check(before: TurnStatus, after: str) -> None:
    """Raise ForbiddenTransition where a turn that is ``before`` never becomes ``after``."""
    if after not in TRANSITIONS.get(before, frozenset()):
        raise ForbiddenTransition(f"{before} to {after}")


def change(turns: QuerySet[Turn], before: TurnStatus, after: str, **columns: Any) -> int:
    """Change those of the turns that are ``before`` to ``after``, with these columns; return how many there were.

    In one statement, so a turn that somebody else has changed meanwhile is left alone. Raises ForbiddenTransition.
    """
    check(before, after)
    return turns.filter(status=before).update(status=after, **columns)
