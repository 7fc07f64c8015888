"""Budgets that tests set, and what stands in their counters."""

from __future__ import annotations

from typing import Any

from django.db.models import Sum

from sessions_app import database
from sessions_app.budgets.holding import held_by
from sessions_app.models import Budget, BudgetPeriod, Per, Turn, Unit

TOKENS, USD = Unit.TOKENS, Unit.USD


async def budget(amount: int, unit: Unit = TOKENS, per: Per = Per.DAY, **owner: Any) -> Budget:
    """A budget of a `user` or a `group`."""
    return await database.write(lambda: Budget.objects.create(per=per, unit=unit, amount=amount, **owner))


async def counters(one: Budget) -> tuple[int, int, int]:
    """What is spent and reserved of a budget in all its periods, and how much was asked without a price."""
    rows = BudgetPeriod.objects.filter(budget=one)
    sums = await database.read(
        lambda: rows.aggregate(
            spent=Sum("spent", default=0), held=Sum("reserved", default=0), no=Sum("unpriced", default=0)
        )
    )
    return sums["spent"], sums["held"], sums["no"]


async def counted(**turns: Any) -> int:
    """The tokens of turns, as the ledger has them, and as was estimated of what nobody has counted."""

    def read() -> int:
        rows = Turn.objects.filter(**turns).values_list("input_tokens", "output_tokens", "uncounted_tokens")
        return sum(map(sum, rows))

    return await database.read(read)


async def held(**turns: Any) -> int:
    """The tokens that turns hold of their budgets."""
    rows = await database.read(lambda: list(Turn.objects.filter(**turns).values_list("held", flat=True)))
    return sum(each.amount for row in rows if (found := held_by(row)) for each in found.of)
