"""Users in admin: Django's own, but for deleting one, which takes all their sessions along."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from sessions_app.admin import deletion
from sessions_app.models import ApiToken, ChatSession

RIGHTS = {"chat session": "sessions_app.delete_chatsession", "API token": "sessions_app.delete_apitoken"}
"""What who deletes a user with such rows must be allowed besides."""


class AccountAdmin(UserAdmin):
    """Django's own would load every message of a user to list it, and again to delete it."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Tell what would go with the users, counted."""
        users = [user.pk for user in objs]
        counts = {
            "users": len(users),
            **deletion.counts(ChatSession.objects.filter(owner__in=users)),
            "API tokens": ApiToken.objects.filter(owner__in=users).count(),
        }
        lacking = {name for name, right in RIGHTS.items() if counts[f"{name}s"] and not request.user.has_perm(right)}
        return deletion.names(objs), counts, lacking, []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete one user."""
        self.delete_queryset(request, User.objects.filter(pk=obj.pk))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete the selected users, their sessions first."""
        deletion.erase(ChatSession.objects.filter(owner__in=queryset))
        queryset.delete()
