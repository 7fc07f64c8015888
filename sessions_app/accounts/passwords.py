"""What a new password ends: the user's logins, and their API tokens unless they are kept on purpose."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from sessions_app.accounts import logins
from sessions_app.models import ApiToken

_KEEPS_TOKENS = "_hermes_keeps_tokens"


def keep_tokens(user: AbstractBaseUser) -> None:
    """Let the password that is about to be saved leave the user's API tokens alone."""
    setattr(user, _KEEPS_TOKENS, True)


def end_what_was_opened(instance: Any, **_: Any) -> None:
    """End it before a user is saved with a new password (``pre_save``): whoever sets one, on whichever page or command.

    Before, so that a process that dies in between has ended too much, not too little. ``_password`` is how Django
    itself tells a new password from an old one whose hash is made stronger at a login. SQL that writes a password is
    not seen; logins end by it all the same (``api.auth``).
    """
    if instance.pk is None or instance._password is None:
        return
    logins.end(instance.logins.all())
    if not instance.__dict__.pop(_KEEPS_TOKENS, False):
        ApiToken.objects.filter(owner=instance).delete()
