"""Forms of a forgotten password: to ask for a mail with a link, to set a new one, and to say where such mails go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import BoundedSemaphore
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from sessions_app import audit
from sessions_app.accounts.fields import EMAIL_HELP, EMAIL_LABEL, WRONG_ENTRY, OnePassword, PlainForm, password_field
from sessions_app.accounts.judging import admit, judging_own_password
from sessions_app.accounts.throttle import Rule, address
from sessions_app.audit import Action, Object, ObjectKind

logger = logging.getLogger(__name__)

MAILS = 3
"""Mails of one request: to an address that several accounts have, for the oldest of them, whoever made more of them."""
WAITING = 1_000
"""Requests whose mails wait to be sent. A mail that finds no room is not sent: it is asked for again."""
_SENDER = ThreadPoolExecutor(1, "mail")
"""The thread that mail leaves by: who asks for one gets the same answer, as fast, whether it is sent or not."""
_room = BoundedSemaphore(WAITING)


class ResetForm(PlainForm, PasswordResetForm):
    """Django's, throttled: in 15 minutes 3 requests for an address, known or not, and 20 of who asks from one place."""

    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self._found: list[User] = []

    def clean(self) -> dict[str, Any]:
        if email := self.cleaned_data.get("email"):
            admit(Rule(3, ("reset to", email.casefold())), Rule(20, ("reset", address(self.request))))
        return self.cleaned_data

    def save(self, **options: Any) -> None:  # type: ignore[override]  # Django's own view names them all
        """Look the users up here, whoever they are; all that only a known address takes is done in the sender's thread.

        That asks the database for nothing. An unknown address takes no room there.
        """
        self._found = sorted(super().get_users(self.cleaned_data["email"]), key=lambda user: user.pk)[:MAILS]
        # One row whether somebody has the address or not: it takes as long.
        first = self._found[0].pk if self._found else None
        audit.record(Action.PASSWORD_LINK_ASKED, Object(ObjectKind.USER, first), count=len(self._found))
        options |= {"domain_override": self.request.get_host(), "request": None}
        if self._found:
            send_later(partial(super().save, **options))

    def get_users(self, email: str) -> Iterable[User]:
        return self._found


class ResetPasswordForm(PlainForm, OnePassword, SetPasswordForm):
    """A new password for whoever has the link. It is recorded with it."""

    new_password1 = password_field("New password", "new-password")
    new_password2 = None  # type: ignore[assignment]

    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        """Store the password, and the record of it."""
        user: User = super().save(commit)
        return user


class EmailForm(PlainForm, forms.ModelForm):
    """The user's own address; asks for the password, as who reads mail there can set another one.

    Who has none has confirmed that it is them.
    """

    current_password = password_field("Password", "current-password")

    class Meta:
        model = get_user_model()
        fields = ("email",)
        labels = {"email": EMAIL_LABEL}
        help_texts = {"email": EMAIL_HELP}

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        if not self.instance.has_usable_password():
            del self.fields["current_password"]

    def clean_email(self) -> str:
        """Bound the mails to an address, like those for a new password."""
        email: str = self.cleaned_data["email"]
        if email and email != self.initial["email"]:
            admit(Rule(3, ("reset to", email.casefold())), Rule(20, ("reset", address(self.request))))
        return email

    def clean_current_password(self) -> None:
        with judging_own_password(self.request):
            if not self.instance.check_password(self.cleaned_data["current_password"]):
                raise ValidationError(WRONG_ENTRY)

    @transaction.atomic
    def remove(self) -> None:
        """Remove the address, and change nothing else: what was done to the account meanwhile stays."""
        self.instance.save(update_fields=["email"])


def send_later(send: Callable[[], object]) -> None:
    """Send a mail in the sender's thread, if there is room; else the log says so."""
    if _room.acquire(blocking=False):
        _SENDER.submit(_sent, send)
    else:
        logger.error("A mail was not sent: %s requests wait for the mail server.", f"{WAITING:,}")


def _sent(send: Callable[[], object]) -> None:
    try:
        send()
    except Exception:
        logger.exception("A mail could not be made.")
    finally:
        _room.release()
