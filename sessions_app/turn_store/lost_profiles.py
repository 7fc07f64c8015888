"""Queued turns whose user may no longer use what is to answer them, or whose profile was removed, behind another turn.

They never begin: they are withdrawn, and say why. By the process that runs the turn before them, because it alone
knows what that one has begun with: where its own profile was taken away too, it ends, and the queue after it begins and
fails by itself (``beginning.begin_next``), with the user's words in the transcript. A turn whose profile was removed
goes on. Where that process is quiet, which may be its end, whichever looks first does it, and does not ask.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sessions_app.conversations import features
from sessions_app.database import plain
from sessions_app.database.users import of_users
from sessions_app.models import Turn, TurnStatus
from sessions_app.turn_store.asking import withdraw
from sessions_app.turn_store.claimed_turn import PROFILE, PROFILE_DENIED, refusal_of

STEP_TURNS = 500
# It costs by queued turns, and little where no profile has groups.
_FORBIDDEN = f"""
SELECT turn.id, turn.owner_id, running.id, {PROFILE} IS NULL FROM sessions_app_turn AS turn
JOIN sessions_app_chatsession AS chat_session ON chat_session.id = turn.chat_session_id
JOIN sessions_app_turn AS running ON running.chat_session_id = turn.chat_session_id AND running.status = 'running'
WHERE turn.status = 'queued' AND ({PROFILE} IS NULL OR {PROFILE_DENIED})
LIMIT %s
"""  # nosec B608: all ours


def find(mine: Mapping[int, int | None], quiet: Collection[int]) -> list[int]:
    """Return primary keys of turns that ``end`` has to end, behind those that this process runs, and ``quiet`` ones.

    ``mine`` has the keys of the profiles that those have begun with.
    """
    if not mine and not quiet:
        return []
    found = plain.rows(of_users(_FORBIDDEN), [STEP_TURNS])
    ending = [pk for pk, _, running, is_removed in found if running in quiet or (is_removed and running in mine)]
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
    for reason, turns in refused.items():
        if reason:
            withdraw(turns, reason)
