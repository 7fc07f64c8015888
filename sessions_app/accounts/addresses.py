"""E-mail addresses of users: one counts once its mailbox was seen, by a link that is sent there.

So a link for a new password never goes to a stranger whose address somebody has typed by mistake. What the link stores
is in it, signed: it is void a day later, and once the user has another address or password than when it was sent.
"""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core import signing
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from sessions_app.accounts.reset_forms import send_later

_SALT = "sessions_app.accounts.addresses"


def ask(request: HttpRequest, user: User, address: str) -> None:
    """Send a link to the address that would be the user's. Nobody waits for the mail server."""
    token = signing.dumps([user.pk, address, _state_of(user)], salt=_SALT, compress=True)
    told = {
        "user": user,
        "host": request.get_host(),
        "link": request.build_absolute_uri(reverse("confirm_email", args=[token])),
    }
    text = render_to_string("registration/email_mail.txt", told)
    subject = f"Your e-mail address at {request.get_host()}"
    send_later(partial(send_mail, subject, text, None, [address]))


def read(token: str) -> tuple[User, str] | None:
    """Return whose address a link makes it, and which one; None where it does not work (any more)."""
    try:
        pk, address, state = signing.loads(token, salt=_SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
    except signing.BadSignature:
        return None
    user: User | None = get_user_model().objects.filter(pk=pk, is_active=True).first()
    if user is None or not constant_time_compare(_state_of(user), state):
        return None
    return user, address


def _state_of(user: User) -> str:
    """What makes a link void when it changes: a digest of the address and the password that the user has."""
    return signing.Signer(salt=_SALT).signature(f"{user.email}\0{user.password}")
