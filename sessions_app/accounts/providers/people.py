"""Whose account it is that a provider speaks of.

1. By issuer and subject, and by nothing else: no name and no e-mail address finds an account.
2. Who is found by none gets a new account, also where sign-up is closed: the provider decides who may.
3. Its name is the provider's where nobody has it, or one that looks like it; else that with a number. It stays as it is
   whatever the provider says later. The account has no password, and is never of staff.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string

from sessions_app.accounts.models import NameShape
from sessions_app.accounts.names import shapes_of
from sessions_app.accounts.providers.claims import email_in, name_in, text_in


class NoFreeName(Exception):
    """No name was free, however many were tried."""


def account_of(issuer: str, claims: dict[str, Any]) -> SocialAccount:
    """Return the link to the account that the claims speak of; made where there is none, with the account.

    Two first logins at once make one: the second finds the link taken, and its own account is rolled back.
    """
    subject = claims["sub"]
    for _ in range(2):
        if found := _linked(issuer, subject):
            return found
        try:
            with transaction.atomic():
                return SocialAccount.objects.create(provider=issuer, uid=subject, user=_new_user(claims))
        except IntegrityError:
            continue
    if found := _linked(issuer, subject):
        return found
    raise NoFreeName


def link(issuer: str, subject: str, user: User) -> bool:
    """Link a user's account to who they are at a provider; False where that is somebody else here already."""
    row, _ = SocialAccount.objects.get_or_create(provider=issuer, uid=subject, defaults={"user": user})
    return bool(row.user_id == user.pk)


def _linked(issuer: str, subject: str) -> SocialAccount | None:
    return SocialAccount.objects.select_related("user").filter(provider=issuer, uid=subject).first()


def _new_user(claims: dict[str, Any]) -> User:
    """Make the account. Raises NoFreeName."""
    users = get_user_model()
    for name in _names(name_in(claims)):
        if _is_taken(name):
            continue
        user: User = users(
            username=name,
            email=email_in(claims),
            first_name=text_in(claims, "given_name"),
            last_name=text_in(claims, "family_name"),
        )
        user.set_unusable_password()
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            continue  # taken a moment ago
        return user
    raise NoFreeName


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in range(2, 6))
    yield from (f"{name}-{get_random_string(6, '0123456789')}" for _ in range(5))


def _is_taken(name: str) -> bool:
    """Whether somebody has the name or one that looks like it; the database refuses it besides."""
    shapes = shapes_of(name)
    return (
        NameShape.objects.filter(shape__in=shapes).exists() or get_user_model().objects.filter(username=name).exists()
    )
