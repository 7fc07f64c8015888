"""Turns in admin: what the guard decided, what the provider counted, how it ended. Never what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from sessions_app.admin import approvals, ledger, rights, spending_csv
from sessions_app.admin.filters import (
    AskedFilter,
    ErrorFilter,
    GuardAgentFilter,
    GuardTranscriptFilter,
    MissFilter,
    OwnerFilter,
    ProfileFilter,
    SessionFilter,
)
from sessions_app.admin.listing import InspectionAdmin
from sessions_app.admin.words import (
    UNTITLED,
    as_uuid,
    cached_share,
    miss_cause,
    moment,
    money,
    narrowed,
    number,
    seconds,
    users_named,
)
from sessions_app.conversations.spending import usage_of
from sessions_app.llm.cache_ledger.diagnoses import sentence
from sessions_app.models import Turn

if TYPE_CHECKING:

    class Titled(Turn):
        """A turn with its session's title, None where the reader may not see it."""

        session_title: str | None


class TurnAdmin(InspectionAdmin):
    """Turns, newest first. They go with their session, not by themselves."""

    list_display = (
        "asked_for",
        "ended_as",
        "user",
        "session",
        "model",
        "verdict",
        "tokens_in",
        "expected",
        "cached",
        "missed_by",
        "tokens_out",
        "paid",
        "saved_by_cache",
    )
    list_select_related = ("owner",)
    list_filter = (
        OwnerFilter,
        SessionFilter,
        ("created_at", AskedFilter),
        MissFilter,
        ProfileFilter,
        "status",
        GuardAgentFilter,
        GuardTranscriptFilter,
        ErrorFilter,
    )
    search_fields = ("run_id", "owner__username")
    search_help_text = "Run id or user name"
    fieldsets = (
        (None, {"fields": ("run_id", "kind", "status", "owner", "chat_session", ("provider", "model"))}),
        ("Guard", {"fields": (("guard_agent", "guard_transcript"), "guard_reason")}),
        ("Tokens", {"fields": (("tokens_in", "cached_in", "written"), ("tokens_out", "reasoning"), "estimated")}),
        ("Cache", {"fields": (("expected", "missed_by", "told"), "kept_for", "retention_reason", "prefix_digest")}),
        ("Money", {"fields": (("paid", "saved_by_cache"),)}),
        ("Calls that wait, or have waited", {"fields": ("asked", "carried_out"), "classes": ("collapse",)}),
        ("Error", {"fields": ("error_code", "error_text")}),
        ("Time", {"fields": ("asked_for", ("began", "waited"), ("ended", "duration"))}),
        ("Process", {"fields": (("process", "heartbeat_at", "stop_requested"),), "classes": ("collapse",)}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a turn out of its session."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, the ledger's among them."""
        view = self.admin_site.admin_view(self.ledger_view)
        as_csv = self.admin_site.admin_view(self.spending_view)
        return [
            path("ledger/", view, name="sessions_app_turn_ledger"),
            path("ledger/spending.csv", as_csv, name="sessions_app_turn_spending"),
            *super().get_urls(),
        ]

    def ledger_view(self, request: HttpRequest) -> HttpResponse:
        """Show what the turns of a period have cost, to whoever may see turns."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = {**self.admin_site.each_context(request), "title": "Ledger", "opts": self.opts}
        shown |= ledger.context(request.GET.dict())
        return TemplateResponse(request, "admin/sessions_app/turn/ledger.html", shown)

    def spending_view(self, request: HttpRequest) -> HttpResponseBase:
        """Give who has spent what, to whoever may see turns."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = ledger.LedgerForm({"days": str(ledger.USUAL), **request.GET.dict()})
        if not form.is_valid():
            return self.ledger_view(request)  # which says what is wrong
        user = form.cleaned_data["user"]
        return spending_csv.response(form.cleaned_data["days"], user.pk if user else None)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the newest first, by the order that an index holds: of a session's turns that is their id."""
        return ("-id",) if "chat_session" in request.GET else ("-created_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Turn]:
        """Return the turns without what was said in them."""
        rows: QuerySet[Turn] = super().get_queryset(request).select_related(*self.list_select_related)
        title = rights.title(request, "chat_session__title")
        return rows.annotate(session_title=title).defer("text", "checkpoint")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look for a run id, else for users' names."""
        term = search_term.strip()
        if run_id := as_uuid(term):
            return queryset.filter(run_id=run_id), False
        return queryset.filter(owner__in=users_named(term)) if term else queryset, False

    @admin.display(description="asked for")
    def asked_for(self, row: Turn) -> str:
        """When the user sent its text."""
        return moment(row.created_at)

    @admin.display(description="status")
    def ended_as(self, row: Turn) -> str:
        """How it stands, with the error that it ended with."""
        return ": ".join(filter(None, (row.get_status_display(), row.error_code)))

    @admin.display(description="session")
    def session(self, row: Titled) -> SafeString:
        """The session, as a link that narrows the list to it; by its id where its title is not for the reader."""
        hidden = row.session_title is None
        name = str(row.chat_session_id) if hidden else row.session_title or UNTITLED
        return narrowed("chat_session", row.chat_session_id, name)

    @admin.display(description="user")
    def user(self, row: Turn) -> SafeString:
        """The owner, as a link that narrows the list to them."""
        return narrowed("owner", row.owner_id, str(row.owner))

    @admin.display(description="guard")
    def verdict(self, row: Turn) -> str:
        """What the guard decided."""
        return ", ".join(filter(None, (row.guard_agent, row.guard_transcript)))

    @admin.display(description="tokens in")
    def tokens_in(self, row: Turn) -> str:
        """The prompts of all its steps."""
        return number(row.input_tokens)

    @admin.display(description="cached")
    def cached(self, row: Turn) -> str:
        """The part of the prompts that came from the provider's cache."""
        return cached_share(usage_of(row))

    @admin.display(description="expected")
    def expected(self, row: Turn) -> str:
        """The tokens that should have come from the provider's cache; a dash where nothing was counted."""
        return number(row.expected_tokens) if row.prefix_digest else "-"

    @admin.display(description="miss")
    def missed_by(self, row: Turn) -> str:
        """Why fewer came."""
        return miss_cause(row.miss)

    @admin.display(description="the provider says")
    def told(self, row: Turn) -> str:
        """What the provider itself says of why; a dash where it says nothing."""
        return sentence(row.told_miss) or "-"

    @admin.display(description="to be kept for")
    def kept_for(self, row: Turn) -> str:
        """For how long the provider was to keep the conversation; a dash where it leaves no choice."""
        if row.retention is None:
            return "-"
        return f"{row.retention // 60} minutes" if row.retention else "not at all"

    @admin.display(description="asked of a person")
    def asked(self, row: Turn) -> SafeString:
        """The calls that it has ended to wait for."""
        return approvals.asked(row.approvals.all())

    @admin.display(description="goes on with")
    def carried_out(self, row: Turn) -> SafeString:
        """The calls that were decided, and what came of them."""
        return approvals.asked(row.decided_approvals.all())

    @admin.display(description="cost")
    def paid(self, row: Turn) -> str:
        """What its tokens cost."""
        return money(row.cost)

    @admin.display(description="saved")
    def saved_by_cache(self, row: Turn) -> str:
        """How much more they would have cost without a cache."""
        return money(row.saved)

    @admin.display(description="of these cached")
    def cached_in(self, row: Turn) -> str:
        """The same, with the count."""
        return f"{number(row.cached_tokens)} ({self.cached(row)})"

    @admin.display(description="newly put in the cache")
    def written(self, row: Turn) -> str:
        """The part of the prompts that the provider now keeps."""
        return number(row.cache_write_tokens)

    @admin.display(description="tokens out")
    def tokens_out(self, row: Turn) -> str:
        """The answers of all its steps."""
        return number(row.output_tokens)

    @admin.display(description="of these reasoning")
    def reasoning(self, row: Turn) -> str:
        """The part of the answers that was reasoning."""
        return number(row.reasoning_tokens)

    @admin.display(description="estimated besides")
    def estimated(self, row: Turn) -> str:
        """What budgets were charged for what its provider has not counted, because it was broken off."""
        tokens, cost = row.uncounted_tokens, row.uncounted_cost
        return f"{number(tokens)} tokens, {money(cost if cost else None)}" if tokens else "-"

    @admin.display(description="began")
    def began(self, row: Turn) -> str:
        """When a process took it up."""
        return moment(row.started_at)

    @admin.display(description="ended")
    def ended(self, row: Turn) -> str:
        """When its end was stored."""
        return moment(row.ended_at)

    @admin.display(description="waited")
    def waited(self, row: Turn) -> str:
        """From being asked for to its beginning."""
        return seconds(row.started_at - row.created_at if row.started_at else None)

    @admin.display(description="took")
    def duration(self, row: Turn) -> str:
        """From its beginning to its end."""
        return seconds(row.ended_at - row.started_at if row.started_at and row.ended_at else None)
