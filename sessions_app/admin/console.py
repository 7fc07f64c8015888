"""The first page of admin: what runs now, what failed today, what seven days have cost. For who may view turns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import localdate, make_aware, now

from sessions_app.admin import rights
from sessions_app.admin.filters import FAILURES
from sessions_app.admin.plot import NARROW, WIDE, Day, in_short, plot
from sessions_app.admin.words import NO_PROFILE, UNTITLED, cached_share, money, number, paid
from sessions_app.conversations.kept_spending import kept_by_day
from sessions_app.conversations.spending import Totals, by_cause
from sessions_app.models import BESIDE, PurgeRun, Turn, TurnStatus

if TYPE_CHECKING:
    from sessions_app.admin.turns import Titled
    from sessions_app.turns.runner import Runner

DAYS = 7
ROWS = 10
_COLUMNS = ("run_id", "status", "process", "created_at", "started_at", "error_code", "error_text")
_RELATED = ("owner__username", "profile__name", "chat_session__profile__name")


@dataclass(frozen=True, slots=True)
class Row:
    """A turn as a line of the console. ``name`` is its session's title, or its run id where that is hidden."""

    turn: Titled
    link: str
    name: str
    profile: str
    seconds: int


def index(request: HttpRequest) -> HttpResponse:
    """Answer with admin's index, and the console on it."""

    def view(request: HttpRequest) -> HttpResponse:
        shown = _console(request) if rights.may_view(request, "turn") else {}
        return admin.site.index(request, {"title": "Console", **shown})

    answer: HttpResponse = admin.site.admin_view(view)(request)
    return answer


def _console(request: HttpRequest) -> dict[str, Any]:
    """Return what the page shows: thirteen queries, whatever is stored."""
    today = _begin(localdate())
    running = Turn.objects.filter(status=TurnStatus.RUNNING)
    failed = Turn.objects.filter(created_at__gte=today, status__in=FAILURES)
    return {
        "running": _rows(request, running.order_by("started_at")),
        "running_count": number(running.count()),
        "running_link": _turns(status__exact=TurnStatus.RUNNING),
        "failed": _rows(request, failed.order_by("-created_at")),
        "failed_links": [(status.label, _turns(status__exact=status, created_at__gte=today)) for status in FAILURES],
        "here": _here(request),
        "purge_refusal": _purge_refusal(request),
        **_today(today),
        **_week(),
    }


def _purge_refusal(request: HttpRequest) -> str:
    """Return why the last purge has not deleted what was due, for who may view purges."""
    last = PurgeRun.objects.order_by("-started_at", "-id").first() if rights.may_view(request, "purgerun") else None
    return last.refusal if last else ""


def _rows(request: HttpRequest, turns: QuerySet[Turn]) -> list[Row]:
    shown = turns.select_related("owner", "profile", "chat_session__profile").only(*_COLUMNS, *_RELATED)
    titled: Any = shown.annotate(session_title=rights.title(request, "chat_session__title"))[:ROWS]
    return [_row(turn) for turn in titled]


def _row(turn: Titled) -> Row:
    link = reverse("admin:sessions_app_turn_change", args=[turn.pk])
    name = str(turn.run_id) if turn.session_title is None else turn.session_title or UNTITLED
    profile = turn.profile or turn.chat_session.profile or NO_PROFILE
    begun = turn.started_at or turn.created_at
    return Row(turn, link, name, str(profile), max(0, int((now() - begun).total_seconds())))


def _today(today: datetime) -> dict[str, str]:
    turns = Turn.objects.filter(created_at__gte=today).exclude(kind__in=BESIDE)
    counted = turns.aggregate(turns=Count("pk"), failed=Count("pk", filter=Q(status__in=FAILURES)))
    return {"turns_today": number(counted["turns"]), "failed_count": number(counted["failed"])}


def _week() -> dict[str, Any]:
    """Return the sums of today and of the days up to it, as a plot and as its table.

    A query a day: to group by days takes several times as long, on SQLite for a function of Python in each row.
    """
    last = localdate()
    days_shown = [last - timedelta(days=before) for before in reversed(range(DAYS))]
    kept = kept_by_day(days_shown[0], last)
    sums = {day: _spent_on(day) + kept.get(day, Totals()) for day in days_shown}
    days = [
        Day(day, total.usage.input_tokens, total.usage.output_tokens, float(total.cost)) for day, total in sums.items()
    ]
    cost = money(sum((total.cost for total in sums.values()), Decimal(0)), 2)
    return {
        "tokens_today": in_short(days[-1].tokens_in + days[-1].tokens_out),
        "cached_today": cached_share(sums[last].usage),
        "money_today": money(sums[last].cost, 2),
        "money_of_days": cost,
        "plots": [plot(days, frame) for frame in (WIDE, NARROW)],
        "plot_title": f"{_said(days)}; {cost} in all.",
        "table": [_line(day, total) for day, total in reversed(sums.items())],
        "ledger_link": reverse("admin:sessions_app_turn_ledger"),
    }


def _begin(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))


def _spent_on(day: date) -> Totals:
    turns = Turn.objects.filter(created_at__gte=_begin(day), created_at__lt=_begin(day + timedelta(days=1)))
    return sum(by_cause(turns).values(), Totals())


def _line(day: date, total: Totals) -> list[str]:
    usage = total.usage
    tokens = (usage.input_tokens, usage.cached_tokens, usage.output_tokens)
    return [day.isoformat(), number(total.turns), *(number(count) for count in tokens), paid(total)]


def _said(days: list[Day]) -> str:
    """Return the plot in words."""
    least, most = min(days, key=lambda day: day.tokens_in), max(days, key=lambda day: day.tokens_in)
    return (
        f"Tokens and money of {len(days)} days: {in_short(least.tokens_in)} tokens in on {least.day} at least, "
        f"{in_short(most.tokens_in)} on {most.day} at most"
    )


def _here(request: HttpRequest) -> dict[str, Any] | None:
    """Return what this process holds; None where none serves the page, as in a test. Others know only their own."""
    runner: Runner | None = getattr(request, "scope", {}).get("runner")
    if runner is None:
        return None
    sockets = runner.delivery.subscriptions.size
    return {"name": runner.process, "sockets": number(sockets), "turns": number(len(runner.runs))}


def _turns(**query: Any) -> str:
    """Return the address of the list of turns, narrowed."""
    told = {name: value.isoformat(" ") if isinstance(value, datetime) else value for name, value in query.items()}
    return f"{reverse('admin:sessions_app_turn_changelist')}?{urlencode(told)}"
