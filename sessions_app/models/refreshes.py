"""What keeping prompts warm has cost, by days."""

from __future__ import annotations

from django.db import models


class RefreshSpending(models.Model):
    """What the refreshes of one day (UTC) have cost all users together, with what is reserved for those under way.

    In billionths of a US dollar, because SQLite has no exact fractions. Kept apart from the turns, which go with their
    users: what was spent stays spent.
    """

    day = models.DateField(primary_key=True)
    nanodollars = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return self.day.isoformat()
