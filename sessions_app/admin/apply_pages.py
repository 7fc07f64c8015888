"""Where admin applies profiles: an action on sessions, and a page of each profile for all that it has.

Both say first how many sessions it is about and what that costs.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from sessions_app.admin import applying, rights
from sessions_app.admin.listing import InspectionAdmin, ListingAdmin
from sessions_app.admin.words import number
from sessions_app.models import AgentProfile, ChatSession


class ApplyingSessions(InspectionAdmin):
    """Sessions that can be selected to begin with their profiles as they are now."""

    actions = ("apply_profile",)

    def has_apply_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may change sessions in this one way."""
        return applying.may_apply(request)

    @admin.action(description="Apply the profile as it is now", permissions=["apply"])
    def apply_profile(self, request: HttpRequest, queryset: QuerySet[ChatSession]) -> HttpResponse | None:
        """Apply their profiles to the selected sessions, once that is confirmed."""
        selected = {row.pk: row.profile for row in queryset}
        older = applying.behind(ChatSession.objects.filter(pk__in=selected), filter(None, set(selected.values())))
        if "post" in request.POST or not older.exists():
            _apply(self, request, older)
            return None
        hidden = [("action", "apply_profile"), *((helpers.ACTION_CHECKBOX_NAME, key) for key in selected)]
        return _confirmation(self, request, older, request.get_full_path(), hidden)


class ApplyingProfile(ListingAdmin):
    """Profiles with a page that applies one, as it is now, to all its sessions."""

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that page's among them."""
        view = self.admin_site.admin_view(self.apply_view)
        return [path("<path:object_id>/apply/", view, name="sessions_app_agentprofile_apply"), *super().get_urls()]

    def apply_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Apply the profile to all its sessions, once that is confirmed."""
        profile: AgentProfile | None = self.get_object(request, object_id)
        if not (self.has_view_permission(request, profile) and applying.may_apply(request)):
            raise PermissionDenied
        if profile is None:
            raise Http404("There is no such profile.")
        older = applying.behind(ChatSession.objects.all(), [profile])
        back = reverse("admin:sessions_app_agentprofile_change", args=[profile.pk])
        if request.method != "POST" and older.exists():
            return _confirmation(self, request, older, back, [])
        if applied := _apply(self, request, older):
            self.log_change(request, profile, f"Applied to {_sessions(applied)}.")
        return HttpResponseRedirect(back)

    def add_to_page(self, request: HttpRequest, context: dict[str, Any], obj: Any) -> None:
        """Add how many sessions begin otherwise than the profile says now, and whether the user may change that."""
        counted = obj is not None and rights.may_view(request, "chatsession")
        context["older"] = applying.behind(ChatSession.objects.all(), [obj]).count() if counted else 0
        context["may_apply"] = applying.may_apply(request)

    def response_change(self, request: HttpRequest, obj: AgentProfile) -> HttpResponse:
        """Say after a change which sessions keep what they began with, and where that can be applied to them."""
        if rights.may_view(request, "chatsession") and (
            older := applying.behind(ChatSession.objects.all(), [obj]).count()
        ):
            kept = f"{_sessions(older)} keep{'s' if older == 1 else ''} the system prompt and tools of before."
            link = reverse("admin:sessions_app_agentprofile_apply", args=[obj.pk])
            offer = format_html(' <a href="{}">Apply the profile as it is now…</a>', link)
            self.message_user(request, format_html("{}{}", kept, offer if applying.may_apply(request) else ""))
        return super().response_change(request, obj)


def _confirmation(
    page: ListingAdmin, request: HttpRequest, older: QuerySet[ChatSession], back: str, hidden: list[tuple[str, object]]
) -> HttpResponse:
    """Say what applying costs; the page's form sends the hidden fields to the same address, or leads back."""
    shown = {
        **page.admin_site.each_context(request),
        "title": "Apply the profile as it is now",
        "opts": page.opts,
        "older": _sessions(older.count()),
        "tokens": number(applying.tokens_kept(older)),
        "hidden": hidden,
        "back": back,
    }
    return TemplateResponse(request, "admin/sessions_app/apply_confirmation.html", shown)


def _apply(page: ListingAdmin, request: HttpRequest, older: QuerySet[ChatSession]) -> int:
    """Apply the profiles to the sessions and say to how many."""
    applied = applying.apply(request, older)
    if applied:
        page.message_user(request, f"The profile was applied to {_sessions(applied)}.", messages.SUCCESS)
    else:
        page.message_user(request, "None of the sessions has an older prefix than its profile.", messages.WARNING)
    return applied


def _sessions(count: int) -> str:
    return f"{number(count)} chat session{'' if count == 1 else 's'}"
