"""Agent profiles in admin: the one thing of ours that is edited here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import URLPattern, path

from sessions_app.admin.apply_pages import ApplyingProfile
from sessions_app.admin.closed import TickedChoices
from sessions_app.admin.features import names_of
from sessions_app.admin.profile_form import AgentProfileForm, tried
from sessions_app.admin.words import number
from sessions_app.conversations import windows
from sessions_app.models import AgentProfile
from sessions_app.models.sealed import UnreadableSecret, unseal
from sessions_app.session_store import removal

_SOURCES = {
    "set": "as set here.",
    "known": "as the list of models and prices has it.",
    "learnt": "as its provider said when it refused a request that was too long.",
}


class AgentProfileAdmin(TickedChoices, ApplyingProfile):
    """Profiles. The one that new sessions are made of cannot be deleted."""

    form = AgentProfileForm
    list_display = ("name", "effective_model", "tool_names", "group_names", "is_default", "updated_at")
    search_fields = ("name",)
    ordering = ("name",)
    actions = None
    readonly_fields = ("key_is", "window_is")
    fieldsets = (
        (None, {"fields": ("name", "description", "order", "groups", "is_default")}),
        (
            "For all its sessions",
            {
                "fields": (
                    "model",
                    "base_url",
                    "key_is",
                    "api_key",
                    "remove_key",
                    "context",
                    "window_is",
                    "forget_window",
                    "memory",
                    "takes_images",
                    "takes_files",
                ),
                "description": "Sessions follow their profile's model, are told of memory or not, and take files or "
                "not, from their next turn on.",
            },
        ),
        (
            "For new sessions",
            {
                "fields": ("system_prompt", "tools"),
                "description": "A session keeps the system prompt and the tools that it was created with: every "
                "request of it begins with the same bytes, so that the provider can read them from its cache. "
                "A change here applies to new sessions only. One that exists keeps its own until its user or an "
                "administrator applies the profile as it is now; its provider then reads it anew, once.",
            },
        ),
    )

    @admin.display(description="model")
    def effective_model(self, row: AgentProfile) -> str:
        """The model that answers; the site's own where the profile names none."""
        return row.effective_model if row.model else f"{row.effective_model} (HERMES_MODEL)"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what is only typed, for who may only look, and the removal of what is not kept."""
        hidden = {"remove_key"} if obj is None or not obj.sealed_key else set()
        if obj is None or windows.learnt_of(obj) is None:
            hidden.add("forget_window")
        if not self.has_change_permission(request, obj):
            hidden = {"api_key", "remove_key", "forget_window"}
        return [
            (name, {**options, "fields": tuple(field for field in options["fields"] if field not in hidden)})
            for name, options in self.fieldsets
        ]

    @admin.display(description="key")
    def key_is(self, row: AgentProfile) -> str:
        """Whether a key is kept, and can be read; never the key."""
        if not row.sealed_key:
            return "No key is kept."
        try:
            unseal(row.sealed_key)
        except UnreadableSecret:
            return "The key that is kept cannot be read any more: SECRET_KEY is another one. Enter it again."
        return "A key is kept."

    @admin.display(description="window in use")
    def window_is(self, row: AgentProfile) -> str:
        """How many tokens the model is taken to hold, and who says so."""
        if (window := windows.find(row)) is None:
            return (
                "Nobody knows it. A chat that becomes too long is summarised once its provider has refused a request; "
                "set the context, and it is before."
            )
        return f"{number(window.tokens)} tokens: {_SOURCES[window.source]}"

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that where a model is tried among them."""
        view = self.admin_site.admin_view(self.try_view)
        return [path("try/", view, name="sessions_app_agentprofile_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Ask the model that a form names, and answer in a sentence whether it answers. Nothing is stored."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        profile = self.get_object(request, request.POST.get("profile", ""))
        if not self.has_change_permission(request, profile):
            raise PermissionDenied
        trial = tried(AgentProfileForm(request.POST, instance=profile))
        return JsonResponse({"answers": trial.answers, "text": trial.text})

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgentProfile]:
        """Return the profiles with their groups."""
        rows: QuerySet[AgentProfile] = super().get_queryset(request)
        return rows.prefetch_related("groups")

    @admin.display(description="for")
    def group_names(self, row: AgentProfile) -> str:
        """The groups whose members may use it."""
        return names_of(row)

    @admin.display(description="tools")
    def tool_names(self, row: AgentProfile) -> str:
        """The names of its tools."""
        return ", ".join(row.tools)

    def save_model(self, request: HttpRequest, obj: AgentProfile, form: Any, change: bool) -> None:
        """Save the profile; a new default takes the flag from the old one, in admin's transaction."""
        if obj.is_default:
            AgentProfile.objects.exclude(pk=obj.pk).filter(is_default=True).update(is_default=False)
        super().save_model(request, obj, form, change)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Tell what keeps the profile."""
        profile: AgentProfile = objs[0]  # there is no action on several
        protected = ["New sessions are made of it. Make another profile the default first."] * profile.is_default
        return [str(profile)], {"agent profiles": 1}, set(), protected

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        """Add how many sessions follow the profile: they are kept."""
        if count := context["object"].chat_sessions.count():
            follow = " follows" if count == 1 else "s follow"
            context["followers"] = f"{number(count)} chat session{follow} this profile."
        return super().render_delete_form(request, context)

    def delete_model(self, request: HttpRequest, obj: AgentProfile) -> None:
        """Remove the profile, and tell the users of its sessions."""
        removal.remove(obj)
