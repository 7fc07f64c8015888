"""The addresses of logins by a provider: begin one, come back, connect one's account, and take that back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sessions_app.accounts import throttle
from sessions_app.accounts.factors.confirming import confirmed
from sessions_app.accounts.factors.views import goal_of
from sessions_app.accounts.judging import Failure
from sessions_app.accounts.providers import given_groups
from sessions_app.accounts.providers.known import KnownProvider, find_provider
from sessions_app.accounts.throttle import Rule, TooManyAttempts
from sessions_app.audit import Action

View = Callable[[HttpRequest, KnownProvider], HttpResponse]
STARTS = 100
"""Logins that may be begun from one address in 15 minutes: each asks the provider."""
FAILURES = 50


def _of_provider(view: View) -> Callable[..., HttpResponse]:
    """Find the provider, and say on a page of its own where it cannot be asked."""

    @wraps(view)
    @never_cache
    def found(request: HttpRequest, key: str) -> HttpResponse:
        if (known := find_provider(key)) is None:
            raise Http404
        # What asks a provider is loaded with the first login.
        from allauth.socialaccount.providers.oauth2.client import OAuth2Error
        from requests import RequestException

        from sessions_app.accounts.providers import failing

        try:
            return view(request, known)
        except (OAuth2Error, RequestException) as error:
            return failing.unusable(request, known, error)
        except TooManyAttempts:
            return failing.page(request, known, failing.BUSY, HTTPStatus.TOO_MANY_REQUESTS)

    return found


@require_safe
@_of_provider
def begin_login(request: HttpRequest, known: KnownProvider) -> HttpResponse:
    """Lead to the provider. By a link: what a form leads to the site's policy keeps here (`form-action`).

    Who comes by a link of another site sees the login first: nobody is logged in whom it leads there.
    """
    goal = goal_of(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(goal)
    if request.headers.get("Sec-Fetch-Site", "same-origin") in ("cross-site", "same-site"):
        return redirect(f"{reverse('login')}?{urlencode({REDIRECT_FIELD_NAME: goal})}")
    from sessions_app.accounts.providers import oidc, returning

    throttle.admit([Rule(STARTS, ("provider", throttle.address(request)))])
    provider = oidc.Provider(request, known)
    return provider.begin(returning.LOGIN, goal)


@require_safe
@_of_provider
def come_back(request: HttpRequest, known: KnownProvider) -> HttpResponse:
    """Where the provider leads back to. In 15 minutes 50 from an address that come to nothing."""
    from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView

    from sessions_app.accounts.providers import oidc

    counted = throttle.admit([Rule(FAILURES, ("login", throttle.address(request)))])
    provider = oidc.Provider(request, known)
    view = OAuth2CallbackView.adapter_view(provider.get_oauth2_adapter(request))
    response: HttpResponse = view(request)
    if response.status_code == HTTPStatus.FOUND:
        throttle.forgive(counted)
    else:
        Failure(Action.LOGIN_FAILED, None, "provider").record()
    return response


@require_POST
@login_required
@confirmed
@_of_provider
def connect(request: HttpRequest, known: KnownProvider) -> HttpResponse:
    """Let the user log in by a provider, too: at the account that they have there."""
    from sessions_app.accounts.providers import returning

    return _way_out(request, known, returning.CONNECT, reverse("security"))


@require_POST
@login_required
@_of_provider
def confirm(request: HttpRequest, known: KnownProvider) -> HttpResponse:
    """Let the user log in at the provider again, which shows that it is still them."""
    from sessions_app.accounts.providers import returning

    own = SocialAccount.objects.filter(user=cast(User, request.user), provider=known.issuer)
    if not own.exists():
        raise Http404
    return _way_out(request, known, returning.CONFIRM, goal_of(request), prompt="login", max_age="0")


@require_POST
@login_required
@confirmed
def disconnect(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the link to a provider back, and the groups that it gave; not where it is the user's only way in."""
    user = cast(User, request.user)
    account = get_object_or_404(SocialAccount, pk=pk, user=user)
    others = SocialAccount.objects.filter(user=user).exclude(pk=pk).exists()
    if not others and (not user.has_usable_password() or settings.OIDC_ONLY):
        messages.error(request, "It is your only way to log in, so it stays.")
    else:
        with transaction.atomic():
            given_groups.take(account)
            account.delete()
        messages.success(request, "You no longer log in that way.")
    return redirect("security")


def _way_out(request: HttpRequest, known: KnownProvider, process: str, goal: str, **asked: str) -> HttpResponse:
    """Show the link out: a form of the site leads nowhere else."""
    from sessions_app.accounts.providers import oidc

    throttle.admit([Rule(STARTS, ("provider", throttle.address(request)))])
    provider = oidc.Provider(request, known)
    address = provider.begin(process, goal, {"user": request.user.pk}, **asked).headers["Location"]
    shown: dict[str, Any] = {"provider": known, "address": address, "host": urlsplit(address).netloc, "goal": goal}
    return render(request, "registration/provider_out.html", shown)
