"""How figures and names are written in admin, and how a search term is understood."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import localtime

from sessions_app.conversations.spending import Totals
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.llm.usage import Usage

HIDDEN = "(hidden)"
"""Stands in the place of what the reader has no right to see."""
UNTITLED = "New chat"
NO_PROFILE = "removed"
"""Stands in the place of a profile's name."""
LONGEST_NAME = 30
SUM_DIGITS = 4


def number(value: int) -> str:
    """Return a count with separators of thousands."""
    return f"{value:,}"


def cached_share(usage: Usage) -> str:
    """Return the part of the prompt that the provider read from its cache."""
    return f"{usage.cached_tokens / usage.input_tokens:.0%}" if usage.input_tokens else "-"


def money(dollars: Decimal | None, digits: int = 6) -> str:
    """Return US dollars, finely enough for a small model's turn; a dash where none is known."""
    return "-" if dollars is None else f"{'-' if dollars < 0 else ''}${abs(dollars):,.{digits}f}"


def paid(totals: Totals) -> str:
    """Return what those of the turns cost whose price is known; a dash where none is."""
    return money(totals.cost if totals.priced else None, SUM_DIGITS)


def saved(totals: Totals) -> str:
    """Return what the cache saved in those of the turns whose price is known; a dash where none is."""
    return money(totals.saved if totals.priced else None, SUM_DIGITS)


def miss_cause(code: str) -> str:
    """Return why the provider's cache had less than expected, from what a turn stores; a dash where it had not."""
    return Cause(code).sentence if code else "-"


def seconds(duration: timedelta | None) -> str:
    """Return how long something took; a dash where it has no end."""
    return "-" if duration is None else f"{duration.total_seconds():,.1f} s"


def moment(time: datetime | None) -> str:
    """Return a time to the second, with its zone; a dash where it has not come."""
    return date_format(localtime(time), "DATETIME_FORMAT") if time else "-"


def narrowed(parameter: str, key: object, name: str) -> SafeString:
    """Return a link, under a name, that narrows the list to the rows whose ``parameter`` is ``key``."""
    shown = Truncator(name).chars(LONGEST_NAME)
    return format_html('<a href="?{}={}" title="Only these">{}</a>', parameter, key, shown)


def as_uuid(term: str) -> UUID | None:
    """Return the UUID that a search term is, if it is one."""
    try:
        return UUID(term)
    except ValueError:
        return None


def users_named(term: str) -> QuerySet[Model]:
    """Return the users whose name contains the term, for a subquery."""
    users: QuerySet[Model] = get_user_model()._default_manager.all()
    return users.filter(username__icontains=term).values("pk")  # type: ignore[return-value]
