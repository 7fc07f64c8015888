"""The form of a webhook: where it leads, which facts it is told, of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from sessions_app.models import FactName, Webhook

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Webhook]
else:
    _ModelForm = forms.ModelForm


class WebhookForm(_ModelForm):
    """A webhook that is told something."""

    events = forms.MultipleChoiceField(
        choices=[(name.value, name.value) for name in FactName],
        widget=forms.CheckboxSelectMultiple,
        help_text="The same facts that a user's own clients are told over the WebSocket.",
    )

    class Meta:
        model = Webhook
        fields = ("name", "url", "events", "all_users", "groups", "with_text", "enabled")

    def clean_url(self) -> str:
        """Take an address without what surrounds it."""
        address: str = self.cleaned_data["url"]
        return address.strip()

    def clean(self) -> dict[str, Any] | None:
        """Refuse a webhook that is told of nobody, or of all and of some."""
        given = super().clean() or self.cleaned_data
        if bool(given.get("all_users")) == bool(given.get("groups")):
            self.add_error("all_users", "Choose all users, or the groups whose members it is for.")
        return given
