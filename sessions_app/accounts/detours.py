"""Where a request to a page of the accounts is led instead, when the page is not for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache

from sessions_app.accounts.views import LoginView

View: TypeAlias = Callable[..., HttpResponseBase]
_ASKS = ("GET", "HEAD")


def for_visitors(view: View) -> View:
    """Lead on who is logged in already and asks for a form that would log them in.

    Raises PermissionDenied where they wanted to go to the admin, which would only lead them back here.
    """

    @wraps(view)
    @never_cache
    def led(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if request.method in _ASKS and request.user.is_authenticated:
            return HttpResponseRedirect(_goal(request))
        return view(request, **kwargs)

    return led


def where_mail_is_sent(view: View) -> View:
    """Answer that there is no such page (404) where the operator has named no mail server."""

    @wraps(view)
    def led(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not settings.HERMES_SENDS_MAIL:
            raise Http404
        return view(request, **kwargs)

    return led


def where_passwords_count(view: View) -> View:
    """Answer that there is no such page (404) where all logins are a provider's (OIDC_ONLY)."""

    @wraps(view)
    def led(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if settings.OIDC_ONLY:
            raise Http404
        return view(request, **kwargs)

    return led


def sent_from(page: str) -> Callable[[View], View]:
    """Lead to the page with this name who asks for an address that only its forms are sent to.

    So comes back who had to log in before such a form was taken.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def led(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            return redirect(page) if request.method in _ASKS else view(request, **kwargs)

        return led

    return decorate


def _goal(request: HttpRequest) -> str:
    view = LoginView()
    view.setup(request)
    goal = view.get_success_url()
    if goal.startswith(reverse("admin:index")) and not request.user.is_staff:
        raise PermissionDenied
    return goal
