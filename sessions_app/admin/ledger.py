"""The ledger as a page: what the turns of some days have cost, and why the provider's cache had less than expected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.urls import reverse
from django.utils.timezone import get_current_timezone_name, localdate, make_aware

from sessions_app.admin.filters import MissFilter
from sessions_app.admin.plot import NARROW, WIDE, Day, Plot, plot
from sessions_app.admin.words import cached_share, miss_cause, number, paid, saved
from sessions_app.conversations.kept_spending import by_owner, postings
from sessions_app.conversations.spending import Posting, Totals, by_user
from sessions_app.llm.cache_ledger.causes import Cause
from sessions_app.models import AgentProfile, Turn, TurnKind

PERIODS = (7, 30, 90)
USUAL = 30
BESIDE = {TurnKind.TITLE: "Titles (HERMES_TITLE_MODEL)", TurnKind.REFRESH: "Kept warm (HERMES_WARM_BUDGET)"}
"""What is beside the turns, by what the operator has set for it."""
REMOVED = "Profiles that were removed"
USERS_SHOWN = 50

Key = TypeVar("Key")
Figures = Mapping[str, Callable[[Totals], str]]

TURNS_AND_MISSED: Figures = {
    "Turns": lambda totals: number(totals.turns),
    "Missed": lambda totals: number(totals.missed),
}
FIGURES: Figures = {
    "Turns": lambda totals: number(totals.turns),
    "Fresh": lambda totals: number(totals.usage.fresh_tokens),
    "Cache write": lambda totals: number(totals.usage.cache_write_tokens),
    "Cached": lambda totals: number(totals.usage.cached_tokens),
    "Cached share": lambda totals: cached_share(totals.usage),
    "Out": lambda totals: number(totals.usage.output_tokens),
    "Missed": lambda totals: number(totals.missed),
    "Paid": paid,
    "Saved": saved,
    "Unpriced turns": lambda totals: number(totals.unpriced),
}


class LedgerForm(forms.Form):
    """Which turns the page tells of: of how many days, today included, of which profile and which user."""

    days = forms.TypedChoiceField(label="Period", choices=[(days, f"Last {days} days") for days in PERIODS], coerce=int)
    profile = forms.ModelChoiceField(AgentProfile.objects.order_by("name"), required=False, empty_label="All")
    user = forms.CharField(required=False, max_length=150)

    def clean_user(self) -> Model | None:
        """Return the user of the name, if one is given."""
        name, users = self.cleaned_data["user"], get_user_model()
        if not name:
            return None
        found: Model | None = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first()
        if found is None:
            raise forms.ValidationError("There is no user of this name.")
        return found


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; ``link`` leads to what it is the sum of, where a page shows that."""

    name: str
    link: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page: a row for each day, profile or cause (``key``), and under them their sum."""

    key: str
    columns: list[str]
    rows: list[Row]
    total: list[str]


def context(query: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page shows for the choice that its address names."""
    form = LedgerForm({"days": str(USUAL), **query})
    found = _found(**form.cleaned_data) if form.is_valid() else {}
    return {"form": form, "zone": get_current_timezone_name(), **found}


def _found(days: int, profile: AgentProfile | None, user: Model | None) -> dict[str, Any]:
    since = make_aware(datetime.combine(localdate() - timedelta(days=days - 1), time.min))
    owner_id = user.pk if user else None
    # One profile's are picked here: named in the query, it would lead a database away from the index of time.
    lines = [line for line in postings(since, owner_id) if profile is None or line.profile == profile.pk]
    narrowed = {"created_at__gte": since.isoformat(" ")} | ({"chat_session__profile": profile.pk} if profile else {})
    narrowed |= {"owner": owner_id} if owner_id else {}
    chosen = {"days": days} | ({"user": str(user)} if user else {})
    causes, total = _sums(lines, lambda line: line.cause), sum((line.totals for line in lines), Totals())
    tables = [_causes(causes, narrowed), _profiles(lines, chosen), _days(lines)] if lines else []
    if tables and not user:
        tables.insert(2, _users(since, profile, days))
    return {
        "tables": tables,
        "plots": _plots(lines, days),
        "days_are_dates": days > PERIODS[0],
        "plot_title": f"Tokens and money of {days} days: {paid(total)} in all.",
        "csv_link": f"{reverse('admin:sessions_app_turn_spending')}?{urlencode(chosen)}",
        "host": causes[Cause.HOST].turns if Cause.HOST in causes else 0,
        "host_link": _turns(Cause.HOST, narrowed),
    }


def _causes(causes: Mapping[Cause | None, Totals], narrowed: Mapping[str, Any]) -> Table:
    """Return the table of causes: the dearest first, the turns that missed nothing last."""
    order = sorted(causes, key=lambda cause: (cause is None, -causes[cause].missed, -causes[cause].turns))
    names = {cause: miss_cause(cause).capitalize() if cause else "None: found as expected" for cause in order}
    rows = [(names[cause], _turns(cause, narrowed), causes[cause]) for cause in order]
    return _table("Cause", rows, TURNS_AND_MISSED)


def _plots(lines: Sequence[Posting], days: int) -> list[Plot]:
    """Return the plot of the period's days; none where nothing was spent."""
    sums, today = _sums(lines, lambda line: line.day), localdate()
    shown = [today - timedelta(days=before) for before in reversed(range(days))]
    found = [(day, sums.get(day, Totals())) for day in shown]
    bars = [Day(day, each.usage.input_tokens, each.usage.output_tokens, float(each.cost)) for day, each in found]
    return [plot(bars, frame) for frame in (WIDE, NARROW)] if lines else []


def _users(since: datetime, profile: AgentProfile | None, days: int) -> Table:
    """Return the table of users, those with the most tokens first."""
    sums: dict[str, Totals] = defaultdict(Totals)
    turns = by_user(Turn.objects.filter(created_at__gte=since))
    for name, key, totals in (*turns, *by_owner(since.date(), date.max)):
        if profile is None or key == profile.pk:
            sums[name] += totals
    order = sorted(sums, key=lambda name: (-_tokens(sums[name]), name))
    rows = [(name, f"?{urlencode({'days': days, 'user': name})}", sums[name]) for name in order[:USERS_SHOWN]]
    if others := order[USERS_SHOWN:]:
        rows.append((f"{number(len(others))} others", "", sum((sums[name] for name in others), Totals())))
    return _table("User", rows, FIGURES)


def _tokens(totals: Totals) -> int:
    return totals.usage.input_tokens + totals.usage.output_tokens


def _profiles(lines: Iterable[Posting], chosen: Mapping[str, Any]) -> Table:
    sums = _sums(lines, lambda line: BESIDE[TurnKind(line.beside)] if line.beside else line.profile or REMOVED)
    known = [key for key in sums if isinstance(key, int)]
    names = AgentProfile.objects.filter(pk__in=known).order_by("name").values_list("pk", "name")
    rows = [(name, f"?{urlencode({**chosen, 'profile': key})}", sums[key]) for key, name in names]
    rows += [(name, "", sums[name]) for name in (REMOVED, *BESIDE.values()) if name in sums]
    return _table("Profile", rows, FIGURES)


def _days(lines: Iterable[Posting]) -> Table:
    sums = _sums(lines, lambda line: line.day)
    return _table("Day", [(day.isoformat(), "", sums[day]) for day in sorted(sums, reverse=True)], FIGURES)


def _sums(lines: Iterable[Posting], key: Callable[[Posting], Key]) -> dict[Key, Totals]:
    sums: dict[Key, Totals] = defaultdict(Totals)
    for line in lines:
        sums[key(line)] += line.totals
    return dict(sums)


def _table(key: str, rows: list[tuple[str, str, Totals]], figures: Figures) -> Table:
    written = [Row(name, link, [write(totals) for write in figures.values()]) for name, link, totals in rows]
    total = sum((totals for _, _, totals in rows), Totals())
    return Table(key, list(figures), written, [write(total) for write in figures.values()])


def _turns(cause: Cause | None, narrowed: Mapping[str, Any]) -> str:
    """Return the address of the list of turns with the cause."""
    query = {"miss": cause or MissFilter.NONE, **narrowed}
    return f"{reverse('admin:sessions_app_turn_changelist')}?{urlencode(query)}"
