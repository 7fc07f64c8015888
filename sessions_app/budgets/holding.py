"""Reserve of budgets for a turn, and settle what it has cost: so that all together spend no more than was set.

1. ``admit``, in the transaction that stores a turn, reserves what its first request may cost: an estimate of its prompt
   and an allowance for the answer, of each budget that binds its user. Where that, with all that is spent and reserved,
   is more than a budget's amount, the allowance shrinks, and below a least one the turn is refused (``TooMany``).
2. ``extend`` reserves more while it runs: before each further request, and for an answer that outgrows its allowance.
3. ``settle``, in the transaction that stores its end, turns the reservation into what was spent; ``release`` gives back
   what is reserved for turns that never ran, or go with their session.

A budget's period has one row with two counters, so none of it costs more with more turns. What a turn holds (``Held``)
stands in its own row, and names the rows that it was reserved of: there it is settled, whatever has become meanwhile
of the calendar, of the budget's amount, and of its user's groups. It is read again after the fence was passed, so a
process that has lost its turn settles nothing, and what another one has reserved is not forgotten. Rows of periods are
locked after the turn's, in the order of their keys.

What is spent beyond a budget is at most what the prompts of the requests under way were underestimated by, and what
their providers write and do not show. Hence the estimate is a high one (``estimates``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sessions_app.budgets import binding
from sessions_app.budgets.amounts import UNLIMITED, Cost, answer_within, cost_of
from sessions_app.budgets.binding import Bound
from sessions_app.budgets.estimates import LEAST_ANSWER, Need
from sessions_app.conversations import transcript
from sessions_app.database import plain
from sessions_app.errors import TooMany
from sessions_app.llm.cache_ledger.prices import TokenPrices
from sessions_app.models import BudgetPeriod, Turn, Unit

BUSY_RETRY_SECONDS = 10
"""After what time to try again where turns under way hold what is left."""

_ADD = """
UPDATE sessions_app_budgetperiod
SET reserved = reserved + %s, spent = spent + %s, unpriced = unpriced + %s WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class HeldOf:
    """What a turn holds of one period of a budget, in its unit."""

    period_id: int
    unit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a turn holds. ``answer`` tokens are reserved for the answer that is under way, or comes next.

    ``longest`` was left for that when it was last asked. ``prices`` are those that it was reckoned with.
    """

    answer: int
    longest: int
    prices: TokenPrices | None
    of: tuple[HeldOf, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what is stored with the turn."""
        return asdict(self)


_STORED = TypeAdapter(Held)
NOTHING = Held(UNLIMITED, UNLIMITED, None, ())
"""Of a turn that no budget bounds."""


def held_by(stored: object) -> Held | None:
    """Return what a turn holds, from its row; None for nothing, and for what another program has left there."""
    try:
        return None if stored is None else _STORED.validate_python(stored)
    except ValidationError:
        return None


def admit(user_id: int, turn: Turn, need: Need) -> None:
    """Reserve what a turn needs that is not stored yet. Raises TooMany. The caller holds the user's lock."""
    bounds = binding.locked(user_id)
    if not bounds:
        return
    room = _room(bounds, need, min(LEAST_ANSWER, need.answer))
    answer = min(need.answer, room)
    cost = cost_of(need.prices, need.prompt, answer)
    held = [HeldOf(bound.period_id, bound.unit, cost.in_unit(bound.unit)) for bound in bounds]
    _add((each.amount, 0, 0, each.period_id) for each in held)
    turn.held = Held(answer, room, need.prices, tuple(held)).to_json()


def extend(turn: Turn, used: Cost, prompt: int, answer: int, least: int) -> Held:
    """Reserve for a running turn what it has used and a request may cost, with up to ``answer`` tokens of its answer.

    Raises OwnershipLost, and TooMany where a budget has not enough for ``least`` of them: then nothing is changed.
    """
    transcript.write_fenced(turn)
    held = held_by(Turn.objects.values_list("held", flat=True).get(pk=turn.pk))
    if held is None:
        return NOTHING  # another program has changed its row
    own = {each.period_id: each for each in held.of}
    rows = BudgetPeriod.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=own).order_by("pk")
    bounds = [_without(own[row.pk], row, used) for row in rows.select_related("budget", "budget__group")]
    room = _room(bounds, Need(prompt, answer, held.prices), least)
    granted = min(answer, room)
    total = used + cost_of(held.prices, prompt, granted)
    new = tuple(replace(each, amount=total.in_unit(each.unit)) for each in held.of)
    _add((after.amount - before.amount, 0, 0, after.period_id) for before, after in zip(held.of, new, strict=True))
    extended = Held(granted, room, held.prices, new)
    Turn.objects.filter(pk=turn.pk).update(held=extended.to_json())
    return extended


def _without(held: HeldOf, row: BudgetPeriod, used: Cost) -> Bound:
    """Return a budget as if what a turn has used so far were spent of it, and nothing were reserved for the turn."""
    bound = binding.of_row(row)
    return replace(bound, spent=bound.spent + used.in_unit(held.unit), reserved=bound.reserved - held.amount)


def _room(bounds: Sequence[Bound], need: Need, least: int) -> int:
    """Return the tokens of the longest answer for which all budgets have enough. Raises TooMany for too few."""
    rooms = [_answer_of(bound, need) for bound in bounds]
    if any(room < least for room in rooms):
        short = [bound for bound, room in zip(bounds, rooms, strict=True) if room < least]
        # Of several it is the one that is there again last.
        raise _refusal(max(short, key=lambda bound: bound.period.ends), need, least)
    return min(rooms, default=UNLIMITED)


def _answer_of(bound: Bound, need: Need) -> int:
    """Return the tokens of the longest answer for which a budget has enough; none or fewer for none."""
    left = bound.left - cost_of(need.prices, need.prompt, 0).in_unit(bound.unit)
    return answer_within(left, bound.unit, need.prices)


def _refusal(bound: Bound, need: Need, least: int) -> TooMany:
    data: dict[str, Any] = {"budget": bound.name, "resets_at": bound.period.ends.isoformat()}
    if _answer_of(replace(bound, reserved=0), need) >= least:
        told = f"What is left of your budget is reserved for answers under way ({bound.name}). Try again in a moment."
        return TooMany(told, retry_after=min(BUSY_RETRY_SECONDS, bound.seconds_left), **data)
    what = "is used up" if bound.spent >= bound.amount else "has too little left for this"
    used = f"{bound.written(bound.spent)} of {bound.written(bound.amount)} used"
    told = f"Your budget {what} ({bound.name}: {used}). It resets on {bound.period.ends:%Y-%m-%d at %H:%M %Z}."
    return TooMany(told, retry_after=bound.seconds_left, **data)


def settle(turn: Turn, cost: Cost) -> None:
    """Turn what a turn holds into what it has cost. In the transaction that has ended it, after its fence."""
    if turn.held is None:
        return
    rows = Turn.objects.filter(pk=turn.pk)
    held = held_by(rows.values_list("held", flat=True).get())
    rows.update(held=None)
    _add(
        (-each.amount, cost.in_unit(each.unit), _unpriced(cost, each.unit), each.period_id)
        for each in (held.of if held else ())
    )


def release(turns: Iterable[Turn]) -> None:
    """Give back what turns hold that never ran, or are deleted with their session. The caller holds their rows."""
    amounts: dict[int, int] = defaultdict(int)
    for turn in turns:
        held = held_by(turn.held)
        for each in held.of if held else ():
            amounts[each.period_id] += each.amount
        turn.held = None
    _add((-amount, 0, 0, period_id) for period_id, amount in sorted(amounts.items()))


def charge(user_id: int, cost: Cost) -> None:
    """Enter what was spent beside the turns: of all budgets that bind the user now."""
    bounds = binding.locked(user_id)
    _add((0, cost.in_unit(bound.unit), _unpriced(cost, bound.unit), bound.period_id) for bound in bounds)


def _unpriced(cost: Cost, unit: str) -> int:
    return int(unit == Unit.USD and not cost.is_priced and cost.tokens > 0)


def is_used_up(user_id: int) -> bool:
    """Tell whether nothing is left of a budget that binds the user: then nothing is asked for beside the turns."""
    return any(bound.left <= 0 for bound in binding.of_user(user_id))


def _add(changes: Iterable[tuple[int, int, int, int]]) -> None:
    """Add to the counters of periods: reserved, spent, unpriced, each by the key of its row, in the order of keys."""
    plain.each(_ADD, list(changes))
