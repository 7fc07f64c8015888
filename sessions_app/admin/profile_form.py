"""The form of an agent profile: what answers, where, with which key, and whether it does."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django import forms

from sessions_app.conversations.profiles import endpoint_of
from sessions_app.conversations.windows import check_window
from sessions_app.llm.providers import check_model
from sessions_app.llm.tools.registry import site_tools
from sessions_app.llm.trial import Trial, try_model
from sessions_app.models import AgentProfile
from sessions_app.models.profiles import check_base_url, origin_of
from sessions_app.models.sealed import UnreadableSecret, seal, unseal
from sessions_app.tool_servers.definitions import specs_of_profile

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[AgentProfile]
else:
    _ModelForm = forms.ModelForm


TRIED = {"model", "base_url", "api_key", "remove_key"}
"""The fields of the form that say which model answers, and where."""


def _tool_choices() -> list[tuple[str, str]]:
    return [(name, f"{name}: {spec.description}") for name, spec in sorted(site_tools().specs().items())]


class AgentProfileForm(_ModelForm):
    """A profile whose model can be built and whose tools exist, with one default among all."""

    tools = forms.MultipleChoiceField(
        choices=_tool_choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    api_key = forms.CharField(
        label="API key",
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
        help_text="For the base URL alone. It is kept encrypted and never shown again. A key entered here replaces the "
        "one that is kept.",
    )
    remove_key = forms.BooleanField(label="Remove the key that is kept", required=False)

    forget_window = forms.BooleanField(
        label="Forget what a refusal has told of the window",
        required=False,
        help_text="The next refusal tells it anew. With another model it no longer counts in any case.",
    )

    class Meta:
        model = AgentProfile
        fields = (
            *("name", "description", "order", "groups", "is_default"),
            *("model", "base_url", "context", "system_prompt", "tools", "memory"),
            *("takes_images", "takes_files"),
        )
        help_texts = {"is_default": "New sessions are made of this profile; the flag moves here from the other one."}

    def clean_base_url(self) -> str:
        """Write an address in one way."""
        address: str = self.cleaned_data["base_url"]
        if address := address.strip().rstrip("/"):
            check_base_url(address)
        return address

    def clean_api_key(self) -> str:
        """Refuse a key that no header could carry."""
        key: str = self.cleaned_data["api_key"].strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise forms.ValidationError("A key has no spaces, and letters, digits and signs of ASCII alone.")
        return key

    def clean(self) -> dict[str, Any] | None:
        """Refuse a model that no session could be answered with, and a key that would go to somebody else."""
        given = super().clean() or self.cleaned_data
        address, key = given.get("base_url"), given.get("api_key", "")
        if address == "":
            self._check_model(given.get("model", ""))
            if key:
                self.add_error("base_url", "The key is for a server of your own: say its address too.")
        elif address and self._kept_goes_elsewhere(address) and not key and not given.get("remove_key"):
            self.add_error("api_key", "The key that is kept is for another server. Enter this one's, or remove it.")
        self._check_window(given)
        return given

    def _check_window(self, given: dict[str, Any]) -> None:
        """Refuse a window in which what every request begins with leaves no room."""
        tokens, names = given.get("context"), given.get("tools")
        if tokens is None or names is None:
            return
        try:
            others = specs_of_profile(self.instance) if self.instance.pk else ()
            check_window(tokens, site_tools().freeze(given.get("system_prompt", ""), names, others))
        except ValueError as error:
            self.add_error("context", str(error))

    def _check_model(self, name: str) -> None:
        try:
            check_model(name)
        except ValueError as error:
            self.add_error("model", str(error))

    def _kept_goes_elsewhere(self, address: str) -> bool:
        """Tell whether a key is kept that was entered for another server: who set an address must not get it."""
        before = self.instance  # as it was loaded, with the key that would be kept: what was typed comes into it later
        return bool(before.sealed_key) and (not before.base_url or origin_of(before.base_url) != origin_of(address))

    def save(self, commit: bool = True) -> AgentProfile:
        """Keep the key that was entered; one that is kept is sealed anew, with the present SECRET_KEY."""
        self.instance.sealed_key = self.sealed_key()
        if self.cleaned_data["forget_window"]:
            self.instance.learnt_context, self.instance.learnt_model = None, ""
        return super().save(commit)

    def sealed_key(self) -> str:
        """Return what is to be kept of the key."""
        if not self.instance.base_url or self.cleaned_data["remove_key"]:
            return seal(key) if (key := self.cleaned_data["api_key"]) and self.instance.base_url else ""
        if key := self.cleaned_data["api_key"]:
            return seal(key)
        with suppress(UnreadableSecret):
            return seal(unseal(kept)) if (kept := self.instance.sealed_key) else ""
        return self.instance.sealed_key

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


def tried(form: AgentProfileForm) -> Trial:
    """Try what a form says of the model, in this thread. Nothing is stored, so the rest of the form may be amiss."""
    for field in set(form.fields) - TRIED:
        del form.fields[field]
    if not form.is_valid():
        return Trial(False, " ".join(str(sentence) for sentences in form.errors.values() for sentence in sentences))
    profile = form.instance
    profile.sealed_key = form.sealed_key()
    try:
        return try_model(profile.effective_model, endpoint_of(profile))
    except UnreadableSecret:
        return Trial(False, "The key that is kept cannot be read any more. Enter it again.")
