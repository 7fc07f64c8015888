"""What a user logs in with beside the password: second factors and providers; and how an administrator takes them.

Whoever has lost their phone and their recovery codes is let in by that alone: what is kept is never shown.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict

from sessions_app.accounts.factors import owned
from sessions_app.accounts.providers import given_groups
from sessions_app.accounts.providers.known import known_providers


def of(user: User) -> dict[str, Any]:
    """Return what there is."""
    names = {known.issuer: known.name for known in known_providers()}
    links = SocialAccount.objects.filter(user=user).order_by("pk")
    return {
        "factors": Authenticator.objects.filter(user=user).order_by("type", "pk"),
        "links": [{"row": link, "name": names.get(link.provider, link.provider)} for link in links],
    }


def take(user: User, asked: QueryDict) -> str:
    """Take what is asked for; return what was done, and nothing where there was nothing to do."""
    if "reset" in asked:
        count = owned.remove(Authenticator.objects.filter(user=user), user.pk)
        return "The second factor was reset." if count else ""
    with transaction.atomic():
        link = SocialAccount.objects.filter(user=user, pk__in=_number(asked.get("disconnect"))).first()
        if link is None:
            return ""
        given_groups.take(link)
        link.delete()
    return f"{link.provider} was disconnected."


def _number(text: str | None) -> list[int]:
    return [int(text)] if text and text.isdecimal() and len(text) < 10 else []
