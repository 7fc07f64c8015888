"""How a login begins, whichever way somebody has shown who they are: the last step of every door.

Who has a second factor is not logged in by a password or a provider alone: they are remembered for ten minutes, in
their session, and asked for the factor (``factors``). A passkey is both at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model, login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from sessions_app.accounts import browsers
from sessions_app.accounts.factors import owned

BACKEND = "django.contrib.auth.backends.ModelBackend"
GOOD_FOR = timedelta(minutes=10)
_PENDING = "second_factor"


def let_in(request: HttpRequest, user: User, goal: str) -> HttpResponse:
    """Log in who has shown one factor, or ask for the second one; then lead to ``goal``, an address."""
    if not owned.has_second_factor(user.pk):
        return log_in(request, user, goal)
    if request.user.is_authenticated:
        request.session.flush()
    request.session.cycle_key()
    request.session[_PENDING] = {
        "user": user.pk,
        "password": user.get_session_auth_hash(),
        "since": timezone.now().isoformat(),
        "goal": goal,
    }
    return redirect("second_factor")


def log_in(request: HttpRequest, user: User, goal: str) -> HttpResponse:
    """Log in who has shown all that is asked of them."""
    forget_pending(request)
    login(request, user, BACKEND)
    # By the address as it is: `redirect` would take some for names of pages, and fail.
    response = HttpResponseRedirect(goal)
    browsers.remember(request, response, user.get_username())
    return response


def pending(request: HttpRequest) -> tuple[User, str] | None:
    """Return who has shown one factor, and where they want to go; None where that was too long ago, or is void."""
    kept: dict[str, Any] | None = request.session.get(_PENDING)
    if kept is None or timezone.now() - datetime.fromisoformat(kept["since"]) > GOOD_FOR:
        return None
    user: User | None = get_user_model().objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), kept["password"]):
        return None
    return user, kept["goal"]


def forget_pending(request: HttpRequest) -> None:
    """Forget who has shown one factor."""
    request.session.pop(_PENDING, None)
