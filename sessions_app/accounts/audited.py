"""What of the accounts is watched by the audit: second factors, links to providers, and the providers themselves."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount

from sessions_app.accounts.models import IdentityProvider, ProviderGroup
from sessions_app.audit import Action, Details, Object, ObjectKind
from sessions_app.audit.watching import Watched


class WatchedGroups(Watched):
    """The groups that a provider may give: a change of the provider."""

    def object(self, instance: ProviderGroup) -> Object:
        """Return the provider."""
        return Object(self.kind, instance.provider_id)


def watch() -> None:
    """Begin to record what is done to these, for as long as the process lives."""
    provider, changed = ObjectKind.IDENTITY_PROVIDER, Action.IDENTITY_PROVIDER_CHANGED
    created, deleted = Action.IDENTITY_PROVIDER_CREATED, Action.IDENTITY_PROVIDER_DELETED
    factor, link = (Action.FACTOR_ADDED, None, Action.FACTOR_REMOVED), (Action.LINK_MADE, None, Action.LINK_REMOVED)
    Watched(IdentityProvider, provider, created, changed, deleted, told={"enabled": "enabled"}).connect()
    WatchedGroups(ProviderGroup, provider, changed, changed, changed, describe=_group).connect()
    Watched(Authenticator, ObjectKind.FACTOR, *factor, describe=_factor).connect()
    Watched(SocialAccount, ObjectKind.LINK, *link, describe=_link).connect()


def _group(row: ProviderGroup) -> Details:
    return {"group": row.group_id}


def _factor(row: Any) -> Details:
    return {"user": row.user_id, "format": row.type}


def _link(row: Any) -> Details:
    return {"user": row.user_id}
