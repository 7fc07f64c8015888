"""Whether it is still the user who sits there: asked before what a borrowed browser must not do.

Good for five minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

GOOD_FOR = timedelta(minutes=5)
_CONFIRMED = "confirmed_at"


def confirm(request: HttpRequest) -> None:
    """Note that it is the user, from now on for a while, in this login."""
    request.session[_CONFIRMED] = timezone.now().isoformat()


def is_confirmed(request: HttpRequest) -> bool:
    """Whether that was noted, and not too long ago."""
    since = request.session.get(_CONFIRMED)
    return since is not None and abs(timezone.now() - datetime.fromisoformat(since)) < GOOD_FOR


def confirmed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ask first; then lead to the page that was asked for, or to the one that a form was sent from."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_confirmed(request):
            return view(request, *args, **kwargs)
        goal = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("security")
        return redirect(f"{reverse('confirm')}?{urlencode({REDIRECT_FIELD_NAME: goal})}")

    return asked
