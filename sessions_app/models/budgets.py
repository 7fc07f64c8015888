"""Budgets: how much of a provider a user, or a group together, may use in a day, a week or a month."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class Per(models.TextChoices):
    """The calendar period that a budget is for, in the site's time zone. A week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Unit(models.TextChoices):
    """What is counted: US dollars, or tokens of prompts and answers together."""

    USD = "usd", "US dollars"
    TOKENS = "tokens", "Tokens"


NANODOLLARS = 1_000_000_000
"""Of one US dollar."""
MOST = 9_000_000
"""US dollars of the largest budget: so that it, and what is spent beyond it, fits the column."""
MOST_TOKENS = MOST * NANODOLLARS
WARN_AT = 80
"""Per cent."""


class Budget(models.Model):
    """What a user may spend in a period; or a group, whose members share one amount.

    ``amount`` is in billionths of a US dollar (SQLite has no exact fractions), or in tokens. From ``warn_at`` per cent
    of it on, users are told that it becomes scarce.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="budgets"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="budgets")
    per = models.CharField(max_length=5, choices=Per)
    unit = models.CharField(max_length=6, choices=Unit)
    amount = models.BigIntegerField()
    warn_at = models.PositiveSmallIntegerField(
        "warning level",
        default=WARN_AT,
        db_default=WARN_AT,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Per cent of it. From there on its users are told that it becomes scarce.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "per", "unit"], name="budget_of_user"),
            models.UniqueConstraint(fields=["group", "per", "unit"], name="budget_of_group"),
            models.CheckConstraint(condition=Q(user__isnull=True) ^ Q(group__isnull=True), name="budget_has_one_owner"),
            models.CheckConstraint(condition=Q(per__in=Per.values), name="budget_per_known"),
            models.CheckConstraint(condition=Q(unit__in=Unit.values), name="budget_unit_known"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="budget_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.get_unit_display()} per {self.per}"


class BudgetPeriod(models.Model):
    """What is spent of a budget in the period that began on a day, and what is reserved for turns that have not ended.

    ``spent`` and ``reserved`` are in the budget's unit. ``unpriced`` counts what was asked of models whose price nobody
    knows: of a budget in dollars it is not among what is spent. Made by the first turn of a period.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="periods")
    began = models.DateField()
    spent = models.BigIntegerField(default=0, db_default=0)
    reserved = models.BigIntegerField(default=0, db_default=0)
    unpriced = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["budget", "began"], name="budget_period")]

    def __str__(self) -> str:
        return f"{self.budget_id} from {self.began}"
