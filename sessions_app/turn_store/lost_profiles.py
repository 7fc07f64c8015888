"""Queued turns whose user may no longer use what is to answer them, or whose profile was removed, behind another turn.

They never begin: they are withdrawn, and say why. Where a profile was removed, any process does that. Where the user
has lost it, the process that runs the turn before them does, because it alone knows what that one has begun with: where
that profile was lost as well, the turn ends, and the queue after it begins and fails by itself
(``beginning.begin_next``), with the user's words in the transcript. Behind a quiet process, which may be dead, any
process withdraws them, whatever the turn before them has begun with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sessions_app.budgets import holding
from sessions_app.conversations import features
from sessions_app.database import plain
from sessions_app.database.users import of_users
from sessions_app.models import Turn, TurnStatus
from sessions_app.turn_store.asking import withdraw
from sessions_app.turn_store.claimed_turn import PROFILE, PROFILE_DENIED, refusal_of

STEP_TURNS = 500
# It costs by queued turns, and little where no profile has groups. {running} are the turns that are judged.
_FORBIDDEN = f"""
SELECT turn.id, turn.owner_id, running.id, {PROFILE} IS NULL FROM sessions_app_turn AS turn
JOIN sessions_app_chatsession AS chat_session ON chat_session.id = turn.chat_session_id
JOIN sessions_app_turn AS running ON running.chat_session_id = turn.chat_session_id AND running.status = 'running'
WHERE turn.status = 'queued' AND ({PROFILE} IS NULL OR (running.id IN ({{running}}) AND {PROFILE_DENIED}))
ORDER BY turn.id LIMIT %s
"""  # nosec B608: all ours


def find(mine: Mapping[int, int | None], quiet: Collection[int]) -> list[int]:
    """Return primary keys of turns that ``end`` has to end.

    ``mine`` are the turns that this process runs, with the keys of the profiles that they have begun with; ``quiet``
    those whose processes may be dead.
    """
    judged = [*mine, *quiet]
    sql = of_users(_FORBIDDEN).format(running=", ".join(["%s"] * len(judged)) or "NULL")
    found = plain.rows(sql, [*judged, STEP_TURNS])
    ending = [pk for pk, _, running, is_removed in found if is_removed or running in quiet]
    behind_mine = [row for row in found if row[2] in mine and not row[3]]
    denied = features.denied({owner_id for _, owner_id, *_ in behind_mine}) if behind_mine else {}
    return ending + [pk for pk, owner_id, running, _ in behind_mine if mine[running] not in denied[owner_id].profiles]


def end(turn_ids: Collection[int]) -> None:
    """Withdraw those that still wait for what their user may not use.

    Rows that another transaction holds are left to the next look: nothing waits, so nothing deadlocks.
    """
    rows = Turn.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk__in=turn_ids)
    waiting = rows.filter(status=TurnStatus.QUEUED).select_related("profile", "chat_session__profile")
    refused: dict[str, list[Turn]] = defaultdict(list)
    for turn in waiting:
        refused[refusal_of(turn, turn.chat_session)].append(turn)
    refused.pop("", None)
    # All at once, so that budgets are locked in one order.
    holding.release([turn for turns in refused.values() for turn in turns])
    for reason, turns in refused.items():
        withdraw(turns, reason)
