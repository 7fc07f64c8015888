"""Agent profiles in admin: the one thing of ours that is edited here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from sessions_app.admin.apply_pages import ApplyingProfile
from sessions_app.admin.closed import TickedChoices
from sessions_app.llm.providers import check_model
from sessions_app.llm.tools.registry import site_tools
from sessions_app.models import AgentProfile

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[AgentProfile]
else:
    _ModelForm = forms.ModelForm


def _tool_choices() -> list[tuple[str, str]]:
    return [(name, f"{name}: {spec.description}") for name, spec in sorted(site_tools().specs().items())]


class AgentProfileForm(_ModelForm):
    """A profile whose model can be built and whose tools exist, with one default among all."""

    tools = forms.MultipleChoiceField(
        choices=_tool_choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = AgentProfile
        fields = ("name", "description", "order", "groups", "is_default", "model", "context", "system_prompt", "tools")
        help_texts = {"is_default": "New sessions are made of this profile; the flag moves here from the other one."}

    def clean_model(self) -> str:
        """Refuse a model string that no session could be answered with."""
        name: str = self.cleaned_data["model"]
        try:
            check_model(name)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return name

    def clean_order(self) -> int:
        """Read nothing as the first place."""
        order: int | None = self.cleaned_data["order"]
        return order or 0

    def clean_is_default(self) -> bool:
        """Refuse to leave new sessions without a profile."""
        chosen: bool = self.cleaned_data["is_default"]
        if not chosen and not AgentProfile.objects.exclude(pk=self.instance.pk).filter(is_default=True).exists():
            raise forms.ValidationError("New sessions need a default. Make another profile the default instead.")
        return chosen

    def _get_validation_exclusions(self) -> set[str]:
        # There is one default in the database, and it may be another one: saving takes the flag from it.
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]  # Django's, untyped


class AgentProfileAdmin(TickedChoices, ApplyingProfile):
    """Profiles. One that sessions follow, or new ones will, cannot be deleted."""

    form = AgentProfileForm
    list_display = ("name", "effective_model", "tool_names", "is_default", "updated_at")
    search_fields = ("name",)
    ordering = ("name",)
    actions = None
    fieldsets = (
        (None, {"fields": ("name", "description", "order", "groups", "is_default")}),
        (
            "For all its sessions",
            {
                "fields": ("model", "context"),
                "description": "Sessions follow their profile's model, from their next turn on.",
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
        """Tell what keeps the profile, counted, not listed."""
        profile: AgentProfile = objs[0]  # there is no action on several
        protected = ["New sessions are made of it. Make another profile the default first."] * profile.is_default
        if sessions := profile.chat_sessions.count():
            protected.append(f"{sessions:,} chat session{'s follow' if sessions > 1 else ' follows'} it.")
        return [str(profile)], {"agent profiles": 1}, set(), protected
