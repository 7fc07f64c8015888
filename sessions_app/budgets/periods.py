"""The calendar of budgets: days, weeks from Monday on, and months of the site's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sessions_app.models import Per

_MORE_THAN_A_MONTH = timedelta(days=32)


@dataclass(frozen=True, slots=True)
class Period:
    """A day, week or month: the day on which it ``began``, and the moment at which the next one begins."""

    began: date
    ends: datetime


def period_of(per: str, moment: datetime, zone: ZoneInfo) -> Period:
    """Return the period that a moment, aware of its zone, is in."""
    today = moment.astimezone(zone).date()
    match per:
        case Per.MONTH:
            began = today.replace(day=1)
            after = (began + _MORE_THAN_A_MONTH).replace(day=1)
        case Per.WEEK:
            began = today - timedelta(days=today.weekday())
            after = began + timedelta(days=7)
        case _:
            began, after = today, today + timedelta(days=1)
    return Period(began, datetime.combine(after, time.min, zone))
