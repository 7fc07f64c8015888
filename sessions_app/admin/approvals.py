"""Calls of tools that wait for somebody, in admin: what was asked, who has decided, and what came of it.

Never a word of what was said: neither the arguments nor a note. Readers of messages find both in the transcript.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from sessions_app.admin.words import moment
from sessions_app.models import Approval, CallState, Decision, StandingApproval, WaitingCall, WaitingKind

MOST_SHOWN = 50
"""The newest of a session that are told."""

NONE = SafeString("-")
_CAME_OF = {
    CallState.NONE: "not made yet",
    CallState.BEGUN: "being made",
    CallState.DONE: "made",
    CallState.NOT_MADE: "never made",
    CallState.UNKNOWN: "nobody knows whether it was made",
}


def asked(rows: QuerySet[Approval]) -> SafeString:
    """Return what was asked of a person, the newest first."""
    return _listed(map(_line, rows.select_related("decided_by").order_by("-pk")[:MOST_SHOWN]))


def standing(rows: QuerySet[StandingApproval]) -> SafeString:
    """Return the tools that were approved once and for all."""
    return _listed(f"{row.tool}, since {moment(row.created_at)}" for row in rows.order_by("tool")[:MOST_SHOWN])


def of_clients(rows: QuerySet[WaitingCall]) -> SafeString:
    """Return the calls that wait for a program which has brought their tool, the newest first."""
    waiting = rows.filter(kind=WaitingKind.CLIENT).order_by("-pk")[:MOST_SHOWN]
    return _listed(f"{row.tool_call_id}, since {moment(row.created_at)}" for row in waiting)


def _line(row: Approval) -> str:
    if row.decision == Decision.WAITING:
        return f"{row.tool}: nobody has decided, asked on {moment(row.created_at)}"
    # Who decides is the row's owner, with whom the row goes; else it was refused in nobody's name.
    who = str(row.decided_by) if row.decided_by else "nobody, since its user was deactivated,"
    decided = f"{row.tool}: {row.get_decision_display().lower()} by {who} on {moment(row.decided_at)}"
    always = ", as all later calls in this session" if row.always else ""
    came_of = f"; {_CAME_OF[CallState(row.state)]}" if row.decision == Decision.APPROVED else ""
    return f"{decided}{always}{came_of}"


def _listed(lines: Iterable[str]) -> SafeString:
    return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines)) or NONE
