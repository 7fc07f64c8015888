"""Retention in admin: policies, legal holds, what users have asked to be deleted, and what each purge has done."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from sessions_app.admin.closed import ClosedAdmin
from sessions_app.admin.listing import InspectionAdmin, ListingAdmin
from sessions_app.admin.words import moment, number
from sessions_app.models import DeletionKind, DeletionRequest, LegalHold, PurgeRun, RetentionPolicy
from sessions_app.purging import policies, requests
from sessions_app.purging.purge import too_much


class RetentionPolicyAdmin(ClosedAdmin):
    """After how many days chats are deleted. Whoever saves a policy is told how much it deletes in the coming night."""

    nothing_yet = "Chats stay until their users delete them."
    list_display = ("__str__", "days", "archived_days")
    fields = ("group", "days", "archived_days")
    ordering = ("group__name",)
    actions = None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Say at each field what it means."""
        texts = {
            "group": "Empty: for everybody whose groups have no policy of their own. Of several groups, the shortest.",
            "days": "Without activity. Pinned chats stay. Empty: only archived chats are deleted.",
            "archived_days": "Empty: as the others.",
        }
        return super().get_form(request, obj, change, help_texts=texts, **kwargs)

    def save_model(self, request: HttpRequest, obj: RetentionPolicy, form: Any, change: bool) -> None:
        """Store the policy, and tell what follows."""
        super().save_model(request, obj, form, change)
        found = policies.survey()
        told = f"By all policies, {number(found.chats)} of {number(found.of)} chats are due now."
        if too_much(found):
            messages.warning(
                request, f"{told} That is too much for a night: if it is right, run manage.py purge --force."
            )
        else:
            messages.info(request, f"{told} They go in the coming night.")


class LegalHoldAdmin(ListingAdmin):
    """Users of whom nothing is deleted. To delete a hold ends it."""

    nothing_yet = "Nothing is kept from being deleted."
    list_display = ("user", "reason", "since")
    list_select_related = ("owner",)
    ordering = ("-created_at",)
    fields = ("owner", "reason")
    autocomplete_fields = ("owner",)

    def get_readonly_fields(self, request: HttpRequest, obj: LegalHold | None = None) -> tuple[str, ...]:
        """Return what cannot be changed: a hold is one user's."""
        return ("owner",) if obj else ()

    @admin.display(description="user")
    def user(self, row: LegalHold) -> str:
        """Whose it is."""
        return row.owner.get_username()

    @admin.display(description="since")
    def since(self, row: LegalHold) -> str:
        """When it was set."""
        return moment(row.created_at)


class DeletionRequestAdmin(InspectionAdmin):
    """What users have asked to be deleted. To delete a request takes it back for its user, until it has begun."""

    nothing_yet = "What users ask to have deleted stands here until it is done."
    list_display = ("user", "kind", "asked", "due", "begun")
    list_select_related = ("owner",)
    ordering = ("-id",)
    fields = ("user", "kind", "asked", "due", "begun")
    readonly_fields = fields
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: DeletionRequest | None = None) -> bool:
        """What has begun goes on."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.begun_at is None)

    def delete_model(self, request: HttpRequest, obj: DeletionRequest) -> None:
        """Take it back, as its user would."""
        requests.take_back(obj.owner_id, DeletionKind(obj.kind))

    @admin.display(description="user")
    def user(self, row: DeletionRequest) -> str:
        """Who has asked."""
        return row.owner.get_username()

    @admin.display(description="asked")
    def asked(self, row: DeletionRequest) -> str:
        """When."""
        return moment(row.asked_at)

    @admin.display(description="in the night after")
    def due(self, row: DeletionRequest) -> str:
        """When it is carried out."""
        return moment(row.due_at)

    @admin.display(description="begun")
    def begun(self, row: DeletionRequest) -> str:
        """When that began; a dash where it can be taken back."""
        return moment(row.begun_at)


class PurgeRunAdmin(InspectionAdmin):
    """Each night's purge, and those by command: what they have removed, and why one was refused."""

    nothing_yet = "The first is in the coming night."
    list_display = ("started", "by", "ended", "chats", "messages", "files", "accounts", "refusal")
    ordering = ("-started_at", "-id")
    fields = (*list_display, "process")
    readonly_fields = fields
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They are kept: the next purge looks at the last one."""
        return False

    @admin.display(description="began")
    def started(self, row: PurgeRun) -> str:
        """When it began."""
        return moment(row.started_at)

    @admin.display(description="ended")
    def ended(self, row: PurgeRun) -> str:
        """When it ended; a dash while it runs, or where nobody has gone on with it."""
        return moment(row.ended_at)

    @admin.display(description="by")
    def by(self, row: PurgeRun) -> str:
        """Who has made it."""
        return f"Night of {row.night}" if row.night else "manage.py purge"
