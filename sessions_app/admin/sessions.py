"""Sessions in admin: a list with what each has cost, and a page that reads as a conversation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_app.admin import approvals, conversation, deletion, log, rights, said
from sessions_app.admin.apply_pages import ApplyingSessions
from sessions_app.admin.closed import ClosedList
from sessions_app.admin.filters import ActivityFilter, ModelFilter, OwnerFilter, StateFilter
from sessions_app.admin.spent import SpentAdmin
from sessions_app.admin.turns import TurnAdmin
from sessions_app.admin.words import HIDDEN, NO_PROFILE, UNTITLED, as_uuid, moment, narrowed, number, users_named
from sessions_app.conversations.spending import by_cause, usage_by_session
from sessions_app.llm.content.prefix import FrozenPrefix
from sessions_app.llm.usage import Usage
from sessions_app.models import ChatSession, Turn
from sessions_app.session_store.chats import present_prefix

if TYPE_CHECKING:
    from sessions_app.admin.spent import Listed, Shown

TURNS_SHOWN = 10
FIGURES = (
    "tokens_in",
    "expected",
    "cached",
    "missed_by",
    "written",
    "tokens_out",
    "reasoning",
    "paid",
    "saved_by_cache",
    "duration",
)


class SessionList(ClosedList):
    """The list, with the usage of the sessions on its page and of no others."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page's rows, then what their turns have cost: one query."""
        super().get_results(request)
        rows: list[Listed] = list(self.result_list)
        usages = usage_by_session(row.pk for row in rows)
        for row in rows:
            row.usage = usages.get(row.pk, Usage())
        self.result_list = rows


class ChatSessionAdmin(ApplyingSessions, SpentAdmin):
    """Sessions: seen by whoever may view them, deleted by whoever may delete them.

    Who may change them can apply their profiles to them, and nothing else.
    """

    list_display = (
        "name",
        "user",
        "answered_by",
        "last_activity",
        "messages",
        "revision",
        "input_tokens",
        "output_tokens",
        "cached",
    )
    list_select_related = ("owner", "profile", "stamp")
    list_filter = (OwnerFilter, StateFilter, "profile", ModelFilter, ("updated_at", ActivityFilter), "archived")
    ordering = ("-updated_at", "-id")
    search_fields = ("title", "owner__username")
    search_help_text = "User name or id of the session; for readers of messages its title, and what was said"
    fieldsets = (
        (None, {"fields": ("id", "name", "owner", "profile", "answered_by", "prefix_is")}),
        ("Activity", {"fields": ("last_activity", "created", ("messages", "revision"), ("archived", "pinned"))}),
        ("Tokens", {"fields": (("input_tokens", "cached", "output_tokens"), "misses")}),
        ("Money", {"fields": (("paid", "saved_by_cache", "unpriced"),)}),
        (
            "Calls that wait, or have waited",
            {"fields": ("asked", "standing", "awaited_of_clients"), "classes": ("collapse",)},
        ),
        ("Frozen prefix", {"fields": ("prefix",), "classes": ("collapse",)}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows what its sessions have cost."""
        return SessionList

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChatSession]:
        """Return the sessions with titles for those who may read them, without what a session's own page shows."""
        rows: QuerySet[ChatSession] = super().get_queryset(request).select_related(*self.list_select_related)
        titled = rows.annotate(shown_title=rights.title(request, "title"))
        return titled.defer("title", "frozen_prefix", "last_request")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look for an id, else for users' names, and for titles and in messages where the user may read them."""
        term = search_term.strip()
        if session_id := as_uuid(term):
            return queryset.filter(pk=session_id), False
        if not term:
            return queryset, False
        found = Q(owner__in=users_named(term))
        if rights.may_read(request):
            found |= Q(title__icontains=term) | Q(pk__in=said.sessions_with(request, term))
        return queryset.filter(found), False

    @admin.display(description="title")
    def name(self, row: Listed) -> str:
        """The title, where the reader may see it; a session without one has its usual name."""
        return HIDDEN if row.shown_title is None else row.shown_title or UNTITLED

    @admin.display(description="user")
    def user(self, row: ChatSession) -> SafeString:
        """The owner, as a link that narrows the list to them."""
        return narrowed("owner", row.owner_id, str(row.owner))

    @admin.display(description="model (profile)")
    def answered_by(self, row: ChatSession) -> str:
        """What answers in the session now."""
        return f"{row.profile.effective_model} ({row.profile})" if row.profile else f"- ({NO_PROFILE})"

    @admin.display(description="last activity")
    def last_activity(self, row: ChatSession) -> str:
        """When the transcript last changed by a turn."""
        return moment(row.updated_at)

    @admin.display(description="created")
    def created(self, row: ChatSession) -> str:
        """When the session was made."""
        return moment(row.created_at)

    @admin.display(description="asked of a person")
    def asked(self, row: ChatSession) -> SafeString:
        """The calls that a person was asked about, and what came of them."""
        return approvals.asked(row.approvals.all()) if row.asks_approval else approvals.NONE

    @admin.display(description="always approved")
    def standing(self, row: ChatSession) -> SafeString:
        """The tools that are not asked about any more."""
        return approvals.standing(row.standing_approvals.all()) if row.asks_approval else approvals.NONE

    @admin.display(description="awaited of programs")
    def awaited_of_clients(self, row: ChatSession) -> SafeString:
        """The calls of tools that a program has brought, and whose results have not come."""
        return approvals.of_clients(row.waiting_calls.all()) if row.client_tools else approvals.NONE

    @admin.display(description="messages")
    def messages(self, row: ChatSession) -> str:
        """How many rows the transcript has, over all branches."""
        return number(row.stamp.message_count)

    @admin.display(description="revision")
    def revision(self, row: ChatSession) -> str:
        """The stamp's revision."""
        return number(row.stamp.revision)

    @admin.display(description="prefix")
    def prefix_is(self, row: Shown) -> str:
        """Whether the session would begin otherwise if it were created now, for those who may read prompts."""
        if not row.may_see_prompt:
            return HIDDEN
        if row.profile is None:
            return "That of a profile that was removed."
        if row.frozen_prefix == present_prefix(row, row.profile).to_json():
            return "That of its profile as it is now."
        return "An older one: its profile has changed since. An action of the list of sessions applies it."

    @admin.display(description="system prompt and tools")
    def prefix(self, row: Shown) -> str:
        """What every request of the session begins with, for those who may read prompts."""
        if not row.may_see_prompt:
            return HIDDEN
        try:
            frozen = FrozenPrefix.from_json(row.frozen_prefix)
        except ValueError:
            text = row.frozen_prefix  # its turns fail for that; here one can see why
        else:
            text = f"{frozen.prompt}\n\nTools: {', '.join(tool.name for tool in frozen.tools) or 'none'}"
        return format_html('<pre class="hermes-text" tabindex="0">{}</pre>', text)

    def add_to_page(self, request: HttpRequest, context: dict[str, Any], obj: Any) -> None:
        """Add what the reader may see of the transcript and the turns; reading the transcript is noted."""
        context["subtitle"] = self._heading(obj)
        obj.usage = usage_by_session([obj.pk]).get(obj.pk, Usage())
        obj.causes = by_cause(obj.turns.all())
        obj.may_see_prompt = rights.may_see_prompts(request)
        context["may_read"] = rights.may_read(request)
        context["may_see_turns"] = rights.may_view(request, "turn")
        context["branches"] = obj.branches.count()
        if context["may_read"]:
            page = conversation.page(obj, _position(request.GET.get("before", "")))
            context["page"] = conversation.rendered(page, request.user.pk or 0)
            log.note(request, [obj], log.READ, f"Read the transcript: {context['page'].said}.")
        if context["may_see_turns"]:
            context["turns"] = self._latest_turns(obj)

    def _heading(self, row: Listed) -> str:
        """Return what a session's page is called: its title where the reader may see it, whose it is, since when."""
        return " · ".join(filter(None, (row.shown_title, str(row.owner), moment(row.created_at))))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Tell what would go with the sessions, without reading it."""
        named = deletion.names(f"{row} ({self.name(row)})" for row in objs)
        return named, deletion.counts(_same(objs)), set(), deletion.held(row.owner_id for row in objs)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> list[LogEntry]:
        """Note who deleted which sessions."""
        return log.note(request, queryset, DELETION)

    def delete_model(self, request: HttpRequest, obj: ChatSession) -> None:
        """Delete one session."""
        deletion.erase(_same([obj]))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ChatSession]) -> None:
        """Delete the selected sessions."""
        deletion.erase(_same(queryset))

    def _latest_turns(self, row: ChatSession) -> list[dict[str, Any]]:
        """Return the newest turns with their figures as the list of turns writes them."""
        figures = TurnAdmin(Turn, self.admin_site)
        turns = row.turns.defer("text", "checkpoint").order_by("-id")[:TURNS_SHOWN]
        return [{"turn": turn, **{name: getattr(figures, name)(turn) for name in FIGURES}} for turn in turns]


def _position(text: str) -> int | None:
    """Return the position that an address names; None, which is the end, for anything else."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _same(rows: Iterable[ChatSession]) -> QuerySet[ChatSession]:
    """Return the same sessions as a plain query: a list's own has joins, an order and a slice."""
    return ChatSession.objects.filter(pk__in=[row.pk for row in rows])
