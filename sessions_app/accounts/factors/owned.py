"""Which second factors a user has."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import QuerySet

Type = Authenticator.Type
_SECOND = (Type.TOTP, Type.WEBAUTHN)
"""Recovery codes stand in for these, and are nothing by themselves."""


def has_second_factor(user_id: int) -> bool:
    """Whether a password alone does not let the user in."""
    return bool(Authenticator.objects.filter(user=user_id, type__in=_SECOND).exists())


def of_type(user_id: int, kind: str) -> QuerySet[Any]:
    """Return the user's factors of a kind, the oldest first."""
    rows: QuerySet[Any] = Authenticator.objects.filter(user=user_id, type=kind)
    return rows.order_by("created_at", "pk")


@transaction.atomic
def remove(factors: QuerySet[Any], user_id: int) -> int:
    """Remove factors, and the recovery codes with the last of them; return how many factors there were."""
    count = factors.count()
    factors.delete()
    if not has_second_factor(user_id):
        of_type(user_id, Type.RECOVERY_CODES).delete()
    return count
