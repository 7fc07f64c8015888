"""Shared links in admin: whose they are, for whom and until when, to revoke them. Their keys are nowhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from sessions_app.admin.filters import OwnerFilter
from sessions_app.admin.listing import InspectionAdmin
from sessions_app.admin.words import users_named
from sessions_app.models import Share

_SHOWN = ("owner", "session", "audience", "pages", "created_at", "expires_at")


class ShareAdmin(InspectionAdmin):
    """Links are made by their users; deleting one revokes it. What they show is said, so it is not told here."""

    list_display = ("__str__", *_SHOWN)
    list_select_related = ("owner",)
    list_filter = (OwnerFilter, "audience")
    ordering = ("-created_at", "-pk")
    search_fields = ("owner__username",)
    search_help_text = "Name of the user"
    fields = _SHOWN
    readonly_fields = _SHOWN

    @admin.display(description="session")
    def session(self, share: Share) -> str:
        """The id of the chat."""
        return str(share.chat_session_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look for names of users."""
        term = search_term.strip()
        return queryset.filter(owner__in=users_named(term)) if term else queryset, False
