"""The form of a tool server: where it is, with which headers, for which profiles, and whether it answers."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django import forms

from sessions_app.models import ToolServer
from sessions_app.models.profiles import origin_of
from sessions_app.models.sealed import UnreadableSecret
from sessions_app.tool_servers.headers import HeaderError, header_of

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[ToolServer]
else:
    _ModelForm = forms.ModelForm

TRIED = {"url", "new_headers", "remove_headers"}
"""The fields of the form that say where a server is, and what it is sent."""


class ToolServerForm(_ModelForm):
    """A tool server at a URL; one with a command is made on the host itself, and keeps it here."""

    new_headers = forms.CharField(
        label="Headers",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false", "class": "vLargeTextField"}
        ),
        help_text="Of each request, one a line, such as “Authorization: Bearer abc”. They are kept encrypted and never "
        "shown again. What is entered here replaces all that are kept.",
    )
    remove_headers = forms.BooleanField(label="Remove the headers that are kept", required=False)

    class Meta:
        model = ToolServer
        fields = ("name", "url", "enabled", "profiles", "groups")

    def clean_url(self) -> str:
        """Ask for an address where there is no command."""
        address: str = self.cleaned_data["url"].strip()
        if not address and not self.instance.command:
            raise forms.ValidationError("This field is required.")
        if address and self.instance.command:
            raise forms.ValidationError("This server is a command of the host, so it has no address.")
        return address

    def clean_new_headers(self) -> dict[str, str]:
        """Read the headers. What is wrong is said without their values."""
        lines = [line for line in self.cleaned_data["new_headers"].splitlines() if line.strip()]
        try:
            return dict(map(header_of, lines))
        except HeaderError as error:
            raise forms.ValidationError(f"A header is wrong: {error}") from None

    def clean(self) -> dict[str, Any] | None:
        """Refuse to send what is kept to somebody else."""
        given = super().clean() or self.cleaned_data
        address, headers = given.get("url"), given.get("new_headers")
        if self.instance.command and headers:
            self.add_error("new_headers", "A command gets no headers.")
        elif address and self._kept_goes_elsewhere(address) and not headers and not given.get("remove_headers"):
            told = "The headers that are kept are for another server. Enter this one's, or remove them."
            self.add_error("new_headers", told)
        return given

    def _kept_goes_elsewhere(self, address: str) -> bool:
        """Tell whether headers are kept that were entered for another server: who set an address must not get them."""
        before = self.instance  # as it was loaded: what was typed comes into it later
        return bool(before.sealed_headers) and origin_of(before.url) != origin_of(address)

    def save(self, commit: bool = True) -> ToolServer:
        """Keep the headers that were entered; those that are kept are sealed anew, with the present SECRET_KEY.

        At another address nobody knows yet whom the server asks.
        """
        self.set_headers()
        if "url" in self.changed_data:
            self.instance.asks_users = False
        return super().save(commit)

    def set_headers(self) -> None:
        """Set what is to be kept of the headers."""
        if (headers := self.cleaned_data["new_headers"]) or self.cleaned_data["remove_headers"]:
            self.instance.keep_headers(headers)
            return
        with suppress(UnreadableSecret, json.JSONDecodeError):
            self.instance.keep_headers(self.instance.headers)


def kept_headers(server: ToolServer) -> str:
    """Say which headers are kept, by name, and whether they can be read; never their values."""
    if not server.sealed_headers:
        return "No headers are kept."
    try:
        return ", ".join(server.headers)
    except (UnreadableSecret, json.JSONDecodeError):
        return "The headers that are kept cannot be read any more: SECRET_KEY is another one. Enter them again."
