"""Which turns of a session run or wait, and whether it is free for what none may be alive beside."""

from __future__ import annotations

from sessions_app.database import plain
from sessions_app.errors import Conflict
from sessions_app.models import ChatSession, Turn, TurnStatus

# Apart, because SQLite uses a partial index only for its own condition.
_ALIVE = """
SELECT id, status FROM sessions_app_turn WHERE chat_session_id = %s AND status = 'running'
UNION ALL SELECT id, status FROM sessions_app_turn WHERE chat_session_id = %s AND status = 'queued'
"""


class StillStopping(Exception):
    """The session's running ``turn`` was asked to stop and has not ended yet: then try again."""

    def __init__(self, turn: Turn) -> None:
        super().__init__(str(turn.run_id))
        self.turn = turn


def alive(chat_session: ChatSession) -> dict[int, str]:
    """Return the status of the session's queued and running turns, by primary key."""
    return dict(plain.rows(_ALIVE, [chat_session.pk, chat_session.pk]))


def check_free(chat_session: ChatSession) -> None:
    """Make sure that no turn of the session runs or waits. Raises Conflict, StillStopping."""
    _check(alive(chat_session))


def check_idle(chat_session: ChatSession) -> None:
    """Make sure that no turn of the session runs. Raises Conflict, StillStopping."""
    _check({pk: status for pk, status in alive(chat_session).items() if status == TurnStatus.RUNNING})


def _check(turns: dict[int, str]) -> None:
    if list(turns.values()) == [TurnStatus.RUNNING]:
        [running] = Turn.objects.filter(pk__in=turns)
        if running.stop_requested:
            raise StillStopping(running)
    if turns:
        raise Conflict("An answer is on its way in this chat. Wait for it, or stop it first.")
