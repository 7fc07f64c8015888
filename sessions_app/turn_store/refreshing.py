"""Pay for a refresh: what it can cost at most is reserved of the day's amount before it is sent, and settled after.

1. ``reserve`` is one transaction: it makes sure that the session still stands where the prompt was made, that no turn
   of it runs or waits, that its user may act, and that its next request goes to the same model; and it takes the most
   that the refresh can cost from the day's amount by one statement that compares. So over all processes no more is
   spent in a day than the operator allows.
2. ``settle`` is another: the reservation becomes what the provider has counted, which gets a row of the kind
   ``refresh`` among the turns, for the ledger. A request that was refused costs nothing (``release``). Of one that was
   broken off before its provider had counted, and of a process that died, nobody knows: that stays reserved.

None of it is a change of the transcript, so the session's stamp does not move.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F

from agentcache import Stamp
from sessions_app.budgets import holding
from sessions_app.budgets.amounts import counted
from sessions_app.conversations import access, beside, profiles
from sessions_app.conversations.transcript import stamp_of
from sessions_app.errors import NotFound
from sessions_app.llm.cache_ledger.requests import RequestRecord
from sessions_app.llm.errors import Code
from sessions_app.llm.step_events import StepResult
from sessions_app.models import ChatSession, RefreshSpending, TurnKind
from sessions_app.turn_store.alive import alive
from sessions_app.turn_store.beginning import touch


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was taken from a day's amount for one refresh of a session whose stamp is ``seen``."""

    owner_id: int
    session_id: UUID
    seen: Stamp
    day: date
    nanodollars: int


def reserve(
    owner_id: int, session_id: UUID, seen: Stamp, model: str, most: Decimal, budget: Decimal
) -> Reservation | None:
    """Reserve what a refresh can cost at ``most``, of the day's ``budget``; None where it is not to be made.

    Both in US dollars. ``model`` is the one that would be asked.
    """
    try:
        chat_session = access.chat_session(owner_id, session_id, lock=True)
    except NotFound:
        return None
    if not _stands(chat_session, seen) or (user := access.lock_user(owner_id)) is None:
        return None
    if user.has_budget and holding.is_used_up(owner_id):
        return None
    if not _is_next(chat_session, model):
        return None
    today, cost = datetime.now(UTC).date(), _nanodollars(most)
    RefreshSpending.objects.get_or_create(day=today)
    enough = RefreshSpending.objects.filter(day=today, nanodollars__lte=_nanodollars(budget) - cost)
    if not enough.update(nanodollars=F("nanodollars") + cost):
        return None
    return Reservation(owner_id, session_id, seen, today, cost)


def settle(reserved: Reservation, made: StepResult, last: RequestRecord) -> RequestRecord | None:
    """Enter what a refresh has cost. ``last`` is the session's last request with it; returned where it was stored.

    Where a turn began meanwhile, or another program has written, the session's record is left alone.
    """
    if made.entry is None:
        return None
    try:
        chat_session = access.chat_session(reserved.owner_id, reserved.session_id, lock=True)
    except NotFound:
        _correct(reserved, made.entry.cost)
        return None
    beside.enter(chat_session, TurnKind.REFRESH, made)
    holding.charge(reserved.owner_id, counted(made.usage, made.entry))
    _correct(reserved, made.entry.cost)
    if not _stands(chat_session, reserved.seen):
        return None
    touch(chat_session, None, last)
    return last


def release(reserved: Reservation, code: Code) -> None:
    """Give back what was reserved for a request that failed as ``code`` says, and that its provider has not counted.

    One that was refused costs nothing; of one that was not answered in time nobody knows.
    """
    if code != "timeout":
        _correct(reserved, Decimal(0))


def _stands(chat_session: ChatSession, seen: Stamp) -> bool:
    return stamp_of(chat_session) == seen and not alive(chat_session)


def _is_next(chat_session: ChatSession, model: str) -> bool:
    """Whether the session's next request goes to this model, and may."""
    profile = chat_session.profile
    if profile is None or profile.effective_model != model:
        return False
    return not profiles.refusal(chat_session.owner_id, profile)


def _correct(reserved: Reservation, cost: Decimal | None) -> None:
    if cost is not None:
        less = reserved.nanodollars - _nanodollars(cost)
        RefreshSpending.objects.filter(day=reserved.day).update(nanodollars=F("nanodollars") - less)


def _nanodollars(dollars: Decimal) -> int:
    return int(dollars.scaleb(9))
