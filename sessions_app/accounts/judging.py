"""How a form asks the throttle: what is refused becomes the form's own error, with the time to wait."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest

from sessions_app.accounts import throttle
from sessions_app.accounts.throttle import Rule, TooManyAttempts

_THROTTLED = "throttled"


@contextmanager
def judging(*rules: Rule, name: str | None = None) -> Iterator[None]:
    """Judge a password within: an attempt that raises stays counted. Raises ValidationError where it may not be."""
    counted = admit(*rules, name=name)
    yield
    throttle.forgive(counted)


def admit(*rules: Rule, name: str | None = None) -> throttle.Counted:
    """Count an attempt. Raises ValidationError where there were too many."""
    try:
        return throttle.admit(rules, name)
    except TooManyAttempts as refusal:
        raise ValidationError(f"Too many attempts. Try again in {_words(refusal.wait)}.", code=_THROTTLED) from None


def judging_own_password(request: HttpRequest) -> AbstractContextManager[None]:
    """Judge a password of the user's own: in 15 minutes 5 wrong ones per login, 10 per user, 50 per address."""
    user, login = str(request.user.pk), str(request.session.session_key)
    return judging(
        Rule(5, ("old", user, login)), Rule(10, ("old", user)), Rule(50, ("login", throttle.address(request)))
    )


def status_of(form: BaseForm) -> int:
    """Return the HTTP status of a page that shows the form: 429 where the throttle has refused it."""
    return 429 if any(form.has_error(field, _THROTTLED) for field in form.errors) else 200


def _words(wait: timedelta) -> str:
    seconds = math.ceil(wait.total_seconds())
    if seconds > 60:
        return f"{math.ceil(seconds / 60)} minutes"
    return "a second" if seconds == 1 else f"{seconds} seconds"
