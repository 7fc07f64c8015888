"""What one user may ask for: so many turns a minute, so many that wait, so much text.

Asked in the transaction that begins what it limits, under the user's lock (``access.lock_user``): two requests that
could both take the last place wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection
from math import ceil

from django.conf import settings
from django.db import connection

from sessions_app.conversations import storage
from sessions_app.database import plain
from sessions_app.errors import TooMany
from sessions_app.models import TurnStatus

# No person reaches these limits; a runaway script is refused early.
QUEUE_LIMIT = 20
QUEUE_RETRY_SECONDS = 10
# The age, in seconds, of the request that must be a minute old before another is allowed. By the database's clock,
# because those of the hosts may differ.
_TOO_MANY = """
SELECT {age} FROM sessions_app_messageclaim WHERE owner_id = %s AND created_at > {minute_ago}
ORDER BY created_at DESC LIMIT 1 OFFSET %s
"""
_MINUTE_SECONDS = 60
_CLOCK = {
    "sqlite": {
        "age": "(JULIANDAY('NOW') - JULIANDAY(created_at)) * 86400.0",
        "minute_ago": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '-60 seconds')",
    },
    "postgresql": {
        "age": "EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP() - created_at)",
        "minute_ago": "STATEMENT_TIMESTAMP() - INTERVAL '60 seconds'",
    },
}


def admit_turn(user_id: int, text: str, alive: Collection[str]) -> None:
    """Refuse a turn that is one too many. Raises TooMany.

    The claim of the turn's message id is stored already, and counted. ``alive`` are the statuses of the session's
    other turns that run or wait.
    """
    _check_rate(user_id)
    if list(alive).count(TurnStatus.QUEUED) >= QUEUE_LIMIT:
        raise TooMany(f"At most {QUEUE_LIMIT} turns can wait.", retry_after=QUEUE_RETRY_SECONDS)
    storage.admit_text(user_id, len(text))


def _check_rate(user_id: int) -> None:
    """Refuse more turns in a minute than HERMES_TURNS_PER_MINUTE."""
    limit: int = settings.HERMES_TURNS_PER_MINUTE
    for (age,) in plain.rows(_TOO_MANY.format(**_CLOCK[connection.vendor]), [user_id, limit]):
        raise TooMany(f"At most {limit} turns a minute.", retry_after=max(1, ceil(_MINUTE_SECONDS - float(age))))
