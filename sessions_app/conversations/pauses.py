"""How long the pauses of a user's earlier sessions have been, for the first request of a new one."""

from __future__ import annotations

from sessions_app.llm.cache_clock.records import earlier_pauses
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.models import ChatSession

# Sessions that are looked at for one that has pauses.
LATEST = 6


def of_user(user_id: int) -> tuple[float, ...]:
    """Return the pauses that the user's latest session with any knows of, its own and those before (one query)."""
    # "IN (0)" where Django would say "NOT archived", for which SQLite takes no index.
    sessions = ChatSession.objects.filter(owner_id=user_id, archived__in=[False]).order_by("-updated_at", "-id")
    records = map(RequestRecord.from_json, sessions.values_list("last_request", flat=True)[:LATEST])
    return earlier_pauses(next((last for last in records if last is not None and last.retention is not None), None))
