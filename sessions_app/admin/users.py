"""Users in admin: Django's own, with closed lists, rights for superusers only, and a deletion that takes all along."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from sessions_app.admin import deletion, holdings, rights, ways_in
from sessions_app.admin.closed import ClosedAdmin, TickedChoices
from sessions_app.models import ApiToken, ChatSession
from sessions_app.purging import names

DELETION_RIGHTS = {"chat session": "sessions_app.delete_chatsession", "API token": "sessions_app.delete_apitoken"}
"""What who deletes a user with such rows must be allowed besides."""

RIGHTS_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")
FACTS = ("password_is", "last_login", "date_joined")


class AccountAdmin(TickedChoices, ClosedAdmin, UserAdmin):
    """Django's own lets all who may change users change their rights too, and shows a part of the password's hash.

    It would also load every message of a user to list it, and again to delete it.
    """

    fieldsets = ((None, {"fields": ("username", "password_is")}), *UserAdmin.fieldsets[1:])  # type: ignore[index]
    # Of the groups those that somebody is in, which the users' pages show.
    list_filter = ("is_staff", "is_superuser", "is_active", ("groups", admin.RelatedOnlyFieldListFilter))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Accounts of staff are changed by superusers, their passwords included."""
        return super().has_change_permission(request, obj) and (obj is None or rights.may_touch(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Accounts of staff are deleted by superusers."""
        return super().has_delete_permission(request, obj) and (obj is None or rights.may_touch(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Return what cannot be changed: rights too, except by superusers."""
        return (*FACTS, *(() if rights.is_superuser(request) else RIGHTS_FIELDS))

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that of how a user logs in among them."""
        view = self.admin_site.admin_view(self.ways_in_view)
        return [path("<int:pk>/ways-in/", view, name="auth_user_ways_in"), *super().get_urls()]

    def ways_in_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what a user logs in with, and take of it what is asked for."""
        user = self.get_object(request, str(pk))
        if user is None or not self.has_change_permission(request, user):
            raise PermissionDenied
        if request.method == "POST":
            if taken := ways_in.take(user, request.POST):
                self.log_change(request, user, taken)
                messages.success(request, taken)
            return redirect("admin:auth_user_ways_in", pk)
        shown = {"title": f"How {user} logs in", "original": user, "opts": self.opts, **ways_in.of(user)}
        return render(request, "admin/auth/user/ways_in.html", {**self.admin_site.each_context(request), **shown})

    def add_to_page(self, request: HttpRequest, context: dict[str, Any], obj: User | None) -> None:
        """Add what the user has, as far as the reader may see it."""
        context["holdings"] = holdings.of(request, obj) if obj else []

    @admin.display(description="password")
    def password_is(self, row: User) -> str:
        """Whether the user can log in with a password."""
        return "Set" if row.has_usable_password() else "Not set"

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
        lacking = {
            name for name, right in DELETION_RIGHTS.items() if counts[f"{name}s"] and not request.user.has_perm(right)
        }
        if not all(rights.may_touch(request, user) for user in objs):
            lacking.add("account of staff")
        return deletion.names(objs), counts, lacking, deletion.held(users)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete one user."""
        self.delete_queryset(request, User.objects.filter(pk=obj.pk))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete the selected users, their sessions first. Admin's log keeps their numbers."""
        deletion.erase(ChatSession.objects.filter(owner__in=queryset))
        for user in queryset:
            names.forget(user.pk, user.get_username())
        queryset.delete()
