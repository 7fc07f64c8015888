"""API tokens in admin: whose they are and when they were used, to revoke them. Their secret is nowhere."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from sessions_app.admin import rights
from sessions_app.admin.filters import OwnerFilter
from sessions_app.admin.listing import ListingAdmin
from sessions_app.admin.words import users_named
from sessions_app.models import ApiToken

TIMES_AND_LIMITS = ("owner", "created_at", "expires_at", "last_used_at", "reads_only", "is_for_scim", "profile")


class ApiTokenAdmin(ListingAdmin):
    """Tokens are made by their users or by ``create_token``; deleting one revokes it."""

    list_display = ("label", *TIMES_AND_LIMITS, "can_read_metrics")
    list_select_related = ("owner", "profile")
    list_filter = (OwnerFilter, "reads_only", "is_for_scim", "can_read_metrics")
    ordering = ("-id",)
    search_fields = ("name", "owner__username")
    search_help_text = "Name of the token or of its user"
    fields = ("name", *TIMES_AND_LIMITS, "can_read_metrics")
    readonly_fields = ("name", *TIMES_AND_LIMITS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody makes a token for somebody else here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers change a token: all that can be changed of it is a right."""
        return rights.is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Tokens of staff are revoked by superusers."""
        return super().has_delete_permission(request, obj) and (obj is None or rights.may_touch(request, obj.owner))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look for names of tokens and of users."""
        term = search_term.strip()
        found = Q(name__icontains=term) | Q(owner__in=users_named(term))
        return queryset.filter(found) if term else queryset, False
