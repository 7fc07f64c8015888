"""Webhooks in admin: where facts are told to, whether that goes well, and each delivery; their secrets are shown once.

Who switches on that texts are sent, or changes a webhook that sends them, decides who reads what users say: that takes
the right to read it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_app.admin import rights
from sessions_app.admin.closed import TickedChoices
from sessions_app.admin.listing import ListingAdmin
from sessions_app.admin.webhook_form import WebhookForm
from sessions_app.admin.words import moment
from sessions_app.models import Webhook
from sessions_app.webhooks import rows
from sessions_app.webhooks.events import make_secret

_TWO = "Two secrets are good already. End the earlier one first: when your receiver knows the newer one."


class WebhookAdmin(TickedChoices, ListingAdmin):
    """Webhooks: made, changed, tried, and given another secret."""

    form = WebhookForm
    nothing_yet = "Nothing is told to other systems."
    list_display = ("name", "url", "told", "of_whom", "state", "log")
    list_display_links = ("name",)
    search_fields = ("name",)
    ordering = ("name",)
    actions = None
    readonly_fields = ("state", "secrets_are")
    fieldsets = (
        (None, {"fields": ("name", "url", "enabled", "state")}),
        ("What it is told", {"fields": ("events", "all_users", "groups", "with_text")}),
        ("Secret", {"fields": ("secrets_are",)}),
    )
    change_form_template = "admin/sessions_app/webhook/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        """Return the webhooks with their groups."""
        found: QuerySet[Webhook] = super().get_queryset(request)
        return found.prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what there is nothing to say of yet."""
        if obj is not None:
            return self.fieldsets
        return ((None, {"fields": ("name", "url", "enabled")}), self.fieldsets[1])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the switch for texts from who may not read them."""
        return self.readonly_fields if rights.may_read(request) else (*self.readonly_fields, "with_text")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may not read what was said leaves alone what sends it."""
        sends_text = obj is not None and obj.with_text
        return super().has_change_permission(request, obj) and (not sends_text or rights.may_read(request))

    @admin.display(description="events")
    def told(self, row: Webhook) -> str:
        """What it is told."""
        return ", ".join(row.events) + (" (with what was said)" if row.with_text else "")

    @admin.display(description="of")
    def of_whom(self, row: Webhook) -> str:
        """Whose facts."""
        if row.all_users:
            return "All users"
        return ", ".join(sorted(group.name for group in row.groups.all())) or "Nobody: its groups were deleted"

    @admin.display(description="state")
    def state(self, row: Webhook) -> str:
        """Whether it is on, and how that goes."""
        if row.enabled:
            return f"On. Every attempt has failed since {moment(row.failing_since)}." if row.failing_since else "On"
        if not row.stopped:
            return "Off"
        return f"Switched off by this site on {moment(row.stopped_at)}. {row.stopped} Switch it on when it works again."

    @admin.display(description="log")
    def log(self, row: Webhook) -> SafeString:
        """A link to its deliveries."""
        return format_html('<a href="{}">Deliveries</a>', _log_of(row))

    @admin.display(description="secret")
    def secrets_are(self, row: Webhook) -> str:
        """How many are good; never what they are."""
        if row.sealed_earlier_secret:
            return "Two are good: the newest, and the one before it. Each event has a signature of both."
        return "One is good. It was shown when it was made, and is kept encrypted."

    def save_model(self, request: HttpRequest, obj: Webhook, form: ModelForm[Webhook], change: bool) -> None:
        """Save what the form says, beside what processes note meanwhile: the row is held while it is decided."""
        if not change:
            obj.take_secret(make_secret())
            obj.switch()
            obj.save()
            return
        now = Webhook.objects.select_for_update().get(pk=obj.pk)
        obj.cursor, obj.failing_since, obj.stopped, obj.stopped_at = (
            *(now.cursor, now.failing_since),
            *(now.stopped, now.stopped_at),
        )
        obj.switch()
        kept = ("cursor", "failing_since", "stopped", "stopped_at")
        obj.save(update_fields=[*(name for name in WebhookForm.Meta.fields if name != "groups"), *kept])

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret, this once."""
        return self._secret_page(request, obj)

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that of the buttons among them."""
        view = self.admin_site.admin_view(self.act_view)
        return [path("<path:object_id>/act/", view, name="sessions_app_webhook_act"), *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Do what one of the buttons says."""
        webhook: Webhook | None = self.get_object(request, object_id)
        if not self.has_change_permission(request, webhook):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if webhook is None:
            raise Http404("There is no such webhook.")
        match request.POST.get("action"):
            case "test":
                return self._send_test(request, webhook)
            case "secret":
                return self._renew(request, webhook)
            case "end":
                return self._end_earlier(request, webhook)
            case _:
                return self._back(webhook)

    def _send_test(self, request: HttpRequest, webhook: Webhook) -> HttpResponse:
        rows.ask_for_test(webhook)
        self.message_user(request, "A test event is sent within a second. Look here what came of it.", messages.SUCCESS)
        return HttpResponseRedirect(_log_of(webhook))

    @transaction.atomic
    def _renew(self, request: HttpRequest, webhook: Webhook) -> HttpResponse:
        webhook = Webhook.objects.select_for_update().get(pk=webhook.pk)
        if webhook.sealed_earlier_secret:
            self.message_user(request, _TWO, messages.WARNING)
            return self._back(webhook)
        webhook.take_secret(make_secret())
        webhook.save(update_fields=["sealed_secret", "sealed_earlier_secret"])
        self.log_change(request, webhook, "Made another secret.")
        return self._secret_page(request, webhook)

    @transaction.atomic
    def _end_earlier(self, request: HttpRequest, webhook: Webhook) -> HttpResponse:
        webhook = Webhook.objects.select_for_update().get(pk=webhook.pk)
        if webhook.sealed_earlier_secret:
            webhook.sealed_earlier_secret = ""  # nosec B105
            webhook.save(update_fields=["sealed_earlier_secret"])
            self.log_change(request, webhook, "Ended the earlier secret.")
            self.message_user(request, "The earlier secret signs nothing more.", messages.SUCCESS)
        return self._back(webhook)

    def _back(self, webhook: Webhook) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:sessions_app_webhook_change", args=[webhook.pk]))

    def _secret_page(self, request: HttpRequest, webhook: Webhook) -> HttpResponse:
        shown = {
            **self.admin_site.each_context(request),
            "title": f"Secret of {webhook}",
            "opts": self.opts,
            "webhook": webhook,
            "secret": webhook.secrets[0],
            "is_second": bool(webhook.sealed_earlier_secret),
        }
        return TemplateResponse(request, "admin/sessions_app/webhook/secret.html", shown)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Tell what goes with the webhook."""
        webhook: Webhook = objs[0]  # there is no action on several
        return [str(webhook)], {"webhooks": 1, "webhook deliveries": webhook.deliveries.count()}, set(), []


def _log_of(webhook: Webhook) -> str:
    return f"{reverse('admin:sessions_app_webhookdelivery_changelist')}?webhook={webhook.pk}"
