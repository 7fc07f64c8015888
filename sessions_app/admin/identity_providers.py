"""Identity providers in admin: who may say who somebody is. That is as much as all rights, so it is for superusers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from sessions_app.accounts.models import IdentityProvider, ProviderGroup
from sessions_app.admin import rights
from sessions_app.admin.closed import ClosedAdmin
from sessions_app.models.profiles import origin_of
from sessions_app.models.sealed import UnreadableSecret
from sessions_app.models.tool_servers import check_server_url

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[IdentityProvider]
    _Inline = admin.TabularInline[ProviderGroup, IdentityProvider]
else:
    _ModelForm, _Inline = forms.ModelForm, admin.TabularInline

UNREADABLE = "The kept secret cannot be read any more: SECRET_KEY is another one. Enter it again."


class IdentityProviderForm(_ModelForm):
    """A provider, and the secret that this site has there."""

    new_secret = forms.CharField(
        label="Client secret",
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
        help_text="Kept encrypted and never shown again. Leave it empty to keep the one that is kept.",
    )

    class Meta:
        model = IdentityProvider
        fields = ("key", "name", "issuer", "client_id", "groups_claim", "enabled")

    def clean_issuer(self) -> str:
        """Refuse what is no address, and the issuer that the settings name."""
        issuer: str = self.cleaned_data["issuer"].strip()
        check_server_url(issuer)
        if issuer == settings.OIDC_ISSUER:
            raise forms.ValidationError("This is the provider that the settings name (OIDC_ISSUER).")
        return issuer

    def clean(self) -> dict[str, Any] | None:
        """Refuse to show what is kept to somebody else."""
        given = super().clean() or self.cleaned_data
        issuer, before = given.get("issuer"), self.instance
        moved = issuer and before.sealed_secret and origin_of(self.initial.get("issuer", "")) != origin_of(issuer)
        if moved and not given.get("new_secret"):
            self.add_error("new_secret", "The secret that is kept is for another provider. Enter this one's.")
        return given

    def save(self, commit: bool = True) -> IdentityProvider:
        """Keep the secret that was entered; the one that is kept is sealed anew, with the present SECRET_KEY."""
        with suppress(UnreadableSecret):
            self.instance.keep_secret(self.cleaned_data["new_secret"] or self.instance.secret)
        return super().save(commit)


class ProviderGroups(_Inline):
    """The groups that a provider may give; no others, whatever its claim says."""

    model = ProviderGroup
    extra = 1
    verbose_name, verbose_name_plural = "group that it may give", "groups that it may give"


class IdentityProviderAdmin(ClosedAdmin):
    """Providers."""

    form = IdentityProviderForm
    nothing_yet = "People log in with what this site has of them: passwords, and passkeys."
    list_display = ("name", "issuer", "enabled", "secret_is")
    list_display_links = ("name",)
    sortable_by = ()
    ordering = ("name",)
    actions = None
    inlines = (ProviderGroups,)
    readonly_fields = ("secret_is", "callback")
    fieldsets = (
        (None, {"fields": ("name", "key", "issuer", "callback", "enabled")}),
        ("Client", {"fields": ("client_id", "secret_is", "new_secret")}),
        ("Groups", {"fields": ("groups_claim",)}),
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers look at one."""
        return rights.is_superuser(request)

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission

    @admin.display(description="kept secret")
    def secret_is(self, row: IdentityProvider) -> str:
        """Whether there is one, and whether it can be read; never the secret."""
        if not row.sealed_secret:
            return "None"
        try:
            return "Kept" if row.secret else "None"
        except UnreadableSecret:
            return UNREADABLE

    @admin.display(description="address to come back to")
    def callback(self, row: IdentityProvider) -> str:
        """What the provider has to be told of this site, behind the site's own address."""
        return reverse("provider_callback", args=[row.key]) if row.key else "Known when this is saved"
