"""What users are told of the budgets that bind them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sessions_app.budgets import binding
from sessions_app.budgets.amounts import dollars_of
from sessions_app.budgets.binding import Bound
from sessions_app.conversations.shape import Shape
from sessions_app.models import Per, Unit


class BudgetShape(Shape):
    """A budget that binds a user, in its present period.

    ``spent`` and ``limit`` are US dollars, or tokens of prompts and answers. ``scarce``: so much is spent that users
    are told. ``unpriced`` requests went to models whose price nobody knows: in dollars they count as nothing.
    """

    name: str
    per: Per
    unit: Literal["usd", "tokens"]
    spent: float
    limit: float
    resets_at: datetime
    scarce: bool
    unpriced: int


def told(user_id: int) -> list[BudgetShape]:
    """Return what binds a user now, the user's own first, those that reset soonest before others."""
    bounds = sorted(binding.of_user(user_id), key=lambda bound: (bound.group or "", bound.period.ends))
    return [_shape(bound) for bound in bounds]


def _shape(bound: Bound) -> BudgetShape:
    is_money = bound.unit == Unit.USD
    spent, limit = (float(dollars_of(each)) if is_money else each for each in (bound.spent, bound.amount))
    return BudgetShape(
        name=bound.name,
        per=Per(bound.per),
        unit="usd" if is_money else "tokens",
        spent=spent,
        limit=limit,
        resets_at=bound.period.ends,
        scarce=bound.is_scarce,
        unpriced=bound.unpriced if is_money else 0,
    )
