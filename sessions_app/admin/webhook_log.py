"""The log of webhooks in admin: what was sent, when, what came of it; and to send it again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from sessions_app.admin import rights
from sessions_app.admin.filters import FieldFilter, RelatedFilter
from sessions_app.admin.listing import InspectionAdmin
from sessions_app.admin.words import moment, number
from sessions_app.models import DeliveryState, WebhookDelivery
from sessions_app.webhooks import rows


class WebhookFilter(RelatedFilter):
    """Deliveries of one webhook."""

    title = "webhook"
    parameter_name = "webhook"


class StateFilter(FieldFilter):
    """Deliveries that stand alike."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Return the states."""
        return [(str(value), str(label)) for value, label in DeliveryState.choices]


class WebhookDeliveryAdmin(InspectionAdmin):
    """Deliveries, the newest first."""

    list_display = ("name", "webhook", "state", "answered", "took", "attempts", "attempted", "next_attempt")
    list_select_related = ("webhook",)
    list_filter = (WebhookFilter, StateFilter)
    ordering = ("-id",)
    actions = ("send_again",)
    fields = (
        *("webhook", "name", "public_id", "owner_id", "cursor", "session_id", "subject", "happened_at"),
        *("state", "attempts", "attempted_at", "next_at", "status", "duration", "error", "answer"),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one by hand."""
        return False

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Who may change webhooks has events sent again; where texts go along, who may read them, too."""
        return request.user.has_perm("sessions_app.change_webhook")

    @admin.action(description="Send again", permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        """Have the events that were chosen sent again, under the same ids."""
        allowed = queryset if rights.may_read(request) else queryset.filter(webhook__with_text=False)
        count = rows.ask_again(list(allowed.values_list("pk", flat=True)))
        self.message_user(request, f"{number(count)} of them are sent again, within a second.", messages.SUCCESS)

    @admin.display(description="answer")
    def answered(self, row: WebhookDelivery) -> str:
        """What the receiver said last, or why there was no answer."""
        return row.error or (str(row.status) if row.status else "-")

    @admin.display(description="took")
    def took(self, row: WebhookDelivery) -> str:
        """How long the last attempt took."""
        return "-" if row.duration is None else f"{number(row.duration)} ms"

    @admin.display(description="last attempt")
    def attempted(self, row: WebhookDelivery) -> str:
        """When that was."""
        return moment(row.attempted_at)

    @admin.display(description="next attempt")
    def next_attempt(self, row: WebhookDelivery) -> str:
        """When the next one is due."""
        return moment(row.next_at)
