"""How a form asks the throttle: what is refused becomes the form's own error, with the time to wait."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest

from sessions_app import audit
from sessions_app.accounts import throttle
from sessions_app.accounts.throttle import Rule, TooManyAttempts
from sessions_app.audit import Action, Object, ObjectKind

logger = logging.getLogger(__name__)

_THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Failure:
    """How a wrong password or factor is recorded: as what, and whose it would have been, None where nobody knows.

    ``by`` is the way in that was tried.
    """

    action: Action
    user_id: int | None
    by: str = "password"

    def record(self, action: Action | None = None) -> None:
        """Record it, in a transaction of its own: there is nothing that it could go with.

        The answer is the same where that fails, which the log then says.
        """
        try:
            audit.record(action or self.action, Object(ObjectKind.USER, self.user_id), by=self.by)
        except Exception:
            logger.exception("A refused login could not be recorded.")


@contextmanager
def judging(*rules: Rule, failure: Failure, name: str | None = None) -> Iterator[None]:
    """Judge a password within: an attempt that raises stays counted. Raises ValidationError where it may not be.

    A wrong password is recorded as the failure; of refusals the first in a while, so that the throttle bounds the rows.
    """
    try:
        counted = throttle.admit(rules, name)
    except TooManyAttempts as refusal:
        if refusal.is_first:
            failure.record(Action.LOGIN_THROTTLED)
        raise _refused(refusal) from None
    try:
        yield
    except ValidationError:
        failure.record()
        raise
    throttle.forgive(counted)


def admit(*rules: Rule, name: str | None = None) -> throttle.Counted:
    """Count an attempt. Raises ValidationError where there were too many."""
    try:
        return throttle.admit(rules, name)
    except TooManyAttempts as refusal:
        raise _refused(refusal) from None


def _refused(refusal: TooManyAttempts) -> ValidationError:
    return ValidationError(f"Too many attempts. Try again in {_words(refusal.wait)}.", code=_THROTTLED)


def judging_own_password(request: HttpRequest) -> AbstractContextManager[None]:
    """Judge a password of the user's own: in 15 minutes 5 wrong ones per login, 10 per user, 50 per address."""
    user, login = str(request.user.pk), str(request.session.session_key)
    rules = Rule(5, ("old", user, login)), Rule(10, ("old", user)), Rule(50, ("login", throttle.address(request)))
    return judging(*rules, failure=Failure(Action.PASSWORD_REFUSED, request.user.pk))


def status_of(form: BaseForm) -> int:
    """Return the HTTP status of a page that shows the form: 429 where the throttle has refused it."""
    return 429 if any(form.has_error(field, _THROTTLED) for field in form.errors) else 200


def _words(wait: timedelta) -> str:
    seconds = math.ceil(wait.total_seconds())
    if seconds > 60:
        return f"{math.ceil(seconds / 60)} minutes"
    return "a second" if seconds == 1 else f"{seconds} seconds"
