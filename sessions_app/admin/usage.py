"""What sessions and turns have cost, in tokens."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Sum

from sessions_app.agents.pieces import Usage
from sessions_app.models import Turn

# In the order of Usage's own fields.
_COUNTS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


def usage_of(turn: Turn) -> Usage:
    """Return what one turn has cost."""
    return Usage(*(getattr(turn, name) for name in _COUNTS))


def usage_by_session(session_ids: Iterable[UUID]) -> dict[UUID, Usage]:
    """Return what all turns of each session have cost together (one query); none for no turn."""
    sums = {name: Sum(name) for name in _COUNTS}
    rows = Turn.objects.filter(chat_session__in=list(session_ids)).values_list("chat_session").annotate(**sums)
    return {session_id: Usage(*counts) for session_id, *counts in rows}
