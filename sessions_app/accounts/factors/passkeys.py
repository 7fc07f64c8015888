"""Passkeys: made, and shown, by the browser (WebAuthn). allauth and ``fido2`` judge what it sends.

A passkey is kept by the browser or device under the name of this host. It needs https and a name, or localhost.
``fido2`` is loaded when somebody uses one.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from sessions_app.accounts.factors.owned import Type, of_type

MOST = 20
"""Passkeys of a user."""
LONGEST_NAME = 60
_REFUSAL = "This passkey was not taken. Try again, or choose another one."


def ask_for_new(user: User) -> dict[str, Any]:
    """Return what the browser is to make; its challenge is kept in the login."""
    from allauth.mfa.webauthn.internal import auth

    options: dict[str, Any] = auth.begin_registration(user, passwordless=True)
    return options


def ask_for_any(user: User | None) -> dict[str, Any]:
    """Return what the browser is to show: one of the user's, or of whoever it knows; its challenge is kept."""
    from allauth.mfa.webauthn.internal import auth

    options: dict[str, Any] = auth.begin_authentication(user)
    return options


def add(user: User, name: str, sent: str) -> None:
    """Keep a passkey that the browser has made. Raises ValidationError."""
    from allauth.mfa.webauthn.internal import auth

    with _judged():
        credential = json.loads(sent)
        auth.parse_registration_response(credential)
        auth.complete_registration(credential)
    if of_type(user.pk, Type.WEBAUTHN).count() >= MOST:
        raise ValidationError(f"You have {MOST} passkeys. Remove one first.")
    auth.WebAuthn.add(user, name, credential)


def take(sent: str, user: User | None = None) -> User:
    """Return whose passkey the browser has shown: the user's own, where one is given. Raises ValidationError."""
    from allauth.mfa.webauthn.internal import auth

    with _judged():
        response = json.loads(sent)
        auth.parse_authentication_response(response)
        owner: Any = user or auth.extract_user_from_response(response)
        found: Authenticator = auth.complete_authentication(owner, response)
    if not owner.is_active:
        raise ValidationError(_REFUSAL)
    found.last_used_at = timezone.now()
    found.save(update_fields=["last_used_at"])
    return owner  # type: ignore[no-any-return]


@contextmanager
def _judged() -> Iterator[None]:
    """Refuse what is none, whatever a client has sent in its place. Raises ValidationError."""
    try:
        yield
    except (ValidationError, ValueError, TypeError, LookupError, AttributeError, RecursionError, struct.error):
        raise ValidationError(_REFUSAL) from None
