"""What users leave behind who may no longer act: deactivated ones, and those whose row is gone.

None of their turns begins (``access.lock_user``), and what runs is stopped by its own process (``heartbeat.beat``
reports it). What waits is withdrawn here: by whichever process looks first, in one step of bounded size at each look.
"""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from sessions_app.budgets import holding
from sessions_app.conversations import turn_status
from sessions_app.database import plain
from sessions_app.database.users import of_users
from sessions_app.models import Turn, TurnStatus
from sessions_app.turn_store.asking import withdraw

# Some 20 ms of the one writer that SQLite has.
STEP_TURNS = 500
# In two parts, because SQLite uses a partial index only for its own condition. They cost by turns alive, not by users.
_ABANDONED = """
SELECT turn.id FROM sessions_app_turn AS turn LEFT JOIN {users} AS owner ON owner.id = turn.owner_id
WHERE turn.status = 'queued' AND (owner.id IS NULL OR NOT owner.is_active)
UNION ALL
SELECT turn.id FROM sessions_app_turn AS turn LEFT JOIN {users} AS owner ON owner.id = turn.owner_id
WHERE turn.status = 'running' AND owner.id IS NULL
LIMIT %s
"""


def find() -> list[int]:
    """Return primary keys of turns that ``end`` has to end."""
    return [pk for (pk,) in plain.rows(of_users(_ABANDONED), [STEP_TURNS])]


def end(turn_ids: Collection[int]) -> None:
    """Withdraw those that wait; end those that run for a user whose row is gone.

    The latter happens on SQLite, where a foreign program need not keep foreign keys: no message can be
    stored for such a user, so only the turn's row changes. Rows that another transaction holds are left to
    the next look: nothing waits, so nothing deadlocks.
    """
    users = get_user_model().objects.filter(pk=OuterRef("owner_id"))
    turns = Turn.objects.select_for_update(skip_locked=True).filter(pk__in=turn_ids)
    waiting = list(turns.filter(~Exists(users.filter(is_active=True)), status=TurnStatus.QUEUED))
    withdraw(waiting)
    running = list(turns.filter(~Exists(users), status=TurnStatus.RUNNING))
    holding.release(running)
    ended = {"ended_at": Now(), "checkpoint": "", "held": None}
    rows = Turn.objects.filter(pk__in=[turn.pk for turn in running])
    turn_status.change(rows, TurnStatus.RUNNING, TurnStatus.STOPPED, **ended)
