"""The providers that people may log in by: the one that the settings name, and those that are rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group

from sessions_app.accounts.models import OWN_KEY, IdentityProvider, ProviderGroup


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """One provider. ``row`` is its row; None for the one that the settings name."""

    key: str
    name: str
    issuer: str
    client_id: str
    groups_claim: str
    row: IdentityProvider | None = None

    def secret(self) -> str:
        """The client's secret. Raises UnreadableSecret."""
        return self.row.secret if self.row else settings.OIDC_CLIENT_SECRET

    def groups_of(self, values: set[str]) -> set[int]:
        """Return the keys of the groups that it gives to whom its claim has these values, however many they are."""
        if self.row is None:
            names = values.intersection(settings.OIDC_GROUPS)
            return set(Group.objects.filter(name__in=names).values_list("pk", flat=True))
        rows = ProviderGroup.objects.filter(provider=self.row).values_list("value", "group")
        return {group for value, group in rows if value in values}


def known_providers() -> Iterator[KnownProvider]:
    """Return them all, the settings' own first, the others by name."""
    if settings.OIDC_ISSUER:
        yield KnownProvider(
            OWN_KEY,
            settings.OIDC_NAME,
            settings.OIDC_ISSUER,
            settings.OIDC_CLIENT_ID,
            settings.OIDC_GROUPS_CLAIM,
        )
    for row in IdentityProvider.objects.filter(enabled=True).order_by("name"):
        if row.issuer != settings.OIDC_ISSUER:
            yield KnownProvider(row.key, row.name, row.issuer, row.client_id, row.groups_claim, row)


def find_provider(key: str) -> KnownProvider | None:
    """Return the provider with this key, if there is one."""
    return next((known for known in known_providers() if known.key == key), None)
