"""Is there room for a turn: so many a minute, so much text, and what budgets have left. Asked as it is stored."""

from __future__ import annotations

from collections.abc import Collection

from sessions_app.budgets import holding
from sessions_app.budgets.estimates import need_of
from sessions_app.conversations import limits
from sessions_app.conversations.access import ActingUser
from sessions_app.models import Turn


def admit(user: ActingUser, turn: Turn, text: str, told: int, alive: Collection[str] = ()) -> None:
    """Refuse a turn that is one too many, or reserve what it may cost. Raises TooMany.

    The claim of the turn's message id is stored already, the turn is not. ``text`` is stored anew with it, ``told`` are
    the bytes that are new to the model. ``alive`` are the statuses of its session's other turns that run or wait.
    """
    limits.admit_turn(user.id, text, alive)
    if user.has_budget:
        holding.admit(user.id, turn, need_of(turn, turn.chat_session, told))


def bytes_of(*texts: str) -> int:
    """Return how many bytes texts have."""
    return sum(len(text.encode(errors="replace")) for text in texts)
