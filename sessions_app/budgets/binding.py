"""Which budgets bind a user, with what is spent and reserved of each in its present period.

A budget of a user binds that user, and one of a group all its members, who share one amount. The time is the
database's. Rows of periods are locked in the order of their keys, after sessions and users and before heads of
journals: so no two transactions wait for each other. Where none binds a user, nothing is read but that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from math import ceil
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, F, FilteredRelation, Q, QuerySet, Value
from django.utils.timezone import get_default_timezone

from sessions_app.budgets.amounts import dollars_of
from sessions_app.budgets.periods import Period, period_of
from sessions_app.database import plain
from sessions_app.database.users import of_users
from sessions_app.models import Budget, BudgetPeriod, Per, Unit

_OF_USER = """
SELECT budget.id, own_group.name, budget.per, budget.unit, budget.amount, budget.warn_at, {now}
FROM sessions_app_budget AS budget LEFT JOIN auth_group AS own_group ON own_group.id = budget.group_id
WHERE budget.user_id = %s OR budget.group_id IN (SELECT group_id FROM {memberships} WHERE {member} = %s)
ORDER BY budget.id
"""
# So that none is lifted before what is reserved of it is stored.
_KEEP = " FOR KEY SHARE OF budget"
_NOW = {"sqlite": "STRFTIME('%%Y-%%m-%%dT%%H:%%M:%%f+00:00', 'NOW')", "postgresql": "STATEMENT_TIMESTAMP()"}
_UNITS = {Unit.USD: "US dollars", Unit.TOKENS: "tokens"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A budget that binds a user, in its present period: amounts are in its unit.

    ``group`` is whose it is, None for the user's own; ``period_id`` is 0 where nothing was spent in the period yet.
    """

    budget_id: int
    group: str | None
    per: str
    unit: str
    amount: int
    warn_at: int
    now: datetime
    period: Period
    period_id: int = 0
    spent: int = 0
    reserved: int = 0
    unpriced: int = 0

    @property
    def name(self) -> str:
        """What it is called to its users."""
        whose = "Personal" if self.group is None else f"Group {self.group}"
        return f"{whose}, {_UNITS[Unit(self.unit)]} per {self.per}"

    @property
    def left(self) -> int:
        """What is neither spent nor reserved; negative where the budget was lowered."""
        return self.amount - self.spent - self.reserved

    @property
    def is_scarce(self) -> bool:
        """Whether so much is spent that its users are told."""
        return self.spent * 100 >= self.amount * self.warn_at

    @property
    def seconds_left(self) -> int:
        """The seconds until the next period begins."""
        return max(1, ceil((self.period.ends - self.now).total_seconds()))

    def written(self, amount: int) -> str:
        """Return an amount of it for people."""
        return f"${dollars_of(amount):,.2f}" if self.unit == Unit.USD else f"{amount:,} tokens"


def of_user(user_id: int) -> list[Bound]:
    """Return what binds a user now, with what is spent."""
    return _with_counters(_budgets(user_id, keep=False), lock=False)


def locked(user_id: int) -> list[Bound]:
    """Return what binds a user now; nobody else changes it until the transaction ends. By the keys of the periods."""
    bounds = _budgets(user_id, keep=True)
    found = _with_counters(bounds, lock=True)
    if missing := [bound for bound in found if not bound.period_id]:
        BudgetPeriod.objects.bulk_create(
            [BudgetPeriod(budget_id=bound.budget_id, began=bound.period.began) for bound in missing],
            ignore_conflicts=True,
        )
        found = _with_counters(bounds, lock=True)
    return sorted(found, key=lambda bound: bound.period_id)


def present(rows: QuerySet[Budget]) -> QuerySet[Budget]:
    """Return budgets, each with what ``of_budget`` wants: the database's time, and the counters of the period then."""
    clock = plain.rows(f"SELECT {_NOW[connection.vendor]}".replace("%%", "%"), [])[0][0]
    now = clock if isinstance(clock, datetime) else datetime.fromisoformat(clock)
    zone, is_present = get_default_timezone(), Q()
    for per in Per.values:
        is_present |= Q(per=per, periods__began=period_of(per, now, zone).began)
    return rows.annotate(
        now=Value(now, DateTimeField()), present=FilteredRelation("periods", condition=is_present)
    ).annotate(spent_now=F("present__spent"), reserved_now=F("present__reserved"), unpriced_now=F("present__unpriced"))


def of_budget(row: Any) -> Bound:
    """Return a budget of ``present``."""
    group = row.group.name if row.group else None
    period = period_of(row.per, row.now, get_default_timezone())
    counters = row.spent_now or 0, row.reserved_now or 0, row.unpriced_now or 0
    return Bound(row.pk, group, row.per, row.unit, row.amount, row.warn_at, row.now, period, 0, *counters)


def of_row(row: BudgetPeriod) -> Bound:
    """Return a budget in the period of a row, whose budget is loaded with its group, as if that had just begun."""
    budget, zone = row.budget, get_default_timezone()
    now = datetime.combine(row.began, time.min, zone)
    bound = Bound(
        budget.pk,
        budget.group.name if budget.group else None,
        budget.per,
        budget.unit,
        budget.amount,
        budget.warn_at,
        now,
        period_of(budget.per, now, zone),
    )
    return _counted(bound, row)


def _budgets(user_id: int, *, keep: bool) -> list[Bound]:
    lock = _KEEP if keep and connection.features.has_select_for_update else ""
    statement = of_users(_OF_USER + lock).replace("{now}", _NOW[connection.vendor])
    zone, found = get_default_timezone(), []
    for budget_id, group, per, unit, amount, warn_at, now in plain.rows(statement, [user_id, user_id]):
        moment = now if isinstance(now, datetime) else datetime.fromisoformat(now)
        found.append(Bound(budget_id, group, per, unit, amount, warn_at, moment, period_of(per, moment, zone)))
    return found


def _with_counters(bounds: Sequence[Bound], *, lock: bool) -> list[Bound]:
    """Return the same with the counters of their periods."""
    if not bounds:
        return []
    wanted = Q()
    for bound in bounds:
        wanted |= Q(budget=bound.budget_id, began=bound.period.began)
    periods = BudgetPeriod.objects.filter(wanted).order_by("pk")
    if lock:
        periods = periods.select_for_update(no_key=True)
    counted = {row.budget_id: row for row in periods}
    return [_counted(bound, counted.get(bound.budget_id)) for bound in bounds]


def _counted(bound: Bound, row: BudgetPeriod | None) -> Bound:
    if row is None:
        return bound
    return replace(bound, period_id=row.pk, spent=row.spent, reserved=row.reserved, unpriced=row.unpriced)
