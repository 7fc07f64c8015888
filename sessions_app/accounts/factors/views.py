"""The pages that ask for a factor: the second one of a login, a passkey in the place of a password, a confirmation."""

from __future__ import annotations

from typing import cast

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.accounts import doors, throttle
from sessions_app.accounts.factors import confirming, owned, passkeys
from sessions_app.accounts.factors.forms import ConfirmForm, FactorForm, PasskeyLoginForm
from sessions_app.accounts.judging import status_of
from sessions_app.accounts.providers.known import known_providers
from sessions_app.accounts.throttle import Rule, TooManyAttempts

ASKED = 200
"""How often a browser at one address may ask what passkey it is to show, in 15 minutes."""


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask who has shown the first factor for the second one."""
    if (waiting := doors.pending(request)) is None:
        return redirect("login")
    user, goal = waiting
    form = FactorForm(request.POST or None, request=request, user=user)
    if form.is_valid():
        return doors.log_in(request, user, goal)
    shown = {"form": form, "has_passkeys": owned.of_type(user.pk, owned.Type.WEBAUTHN).exists()}
    return render(request, "registration/second_factor.html", shown, status=status_of(form))


@require_POST
@never_cache
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser is asked to show: of who waits for their second factor or is logged in, else of anybody."""
    try:
        throttle.admit([Rule(ASKED, ("passkey options", throttle.address(request)))])
    except TooManyAttempts:
        return JsonResponse({"error": "Too many attempts. Try again in 15 minutes."}, status=429)
    waiting = doors.pending(request)
    user = request.user if request.user.is_authenticated else waiting[0] if waiting else None
    return JsonResponse(passkeys.ask_for_any(user))


@sensitive_post_parameters()
@never_cache
@require_POST
def passkey_login(request: HttpRequest) -> HttpResponse:
    """Log in who shows a passkey, which is two factors at once; not where all logins are a provider's."""
    if settings.OIDC_ONLY:
        raise Http404
    form = PasskeyLoginForm(request.POST, request=request)
    if form.is_valid() and form.user:
        return doors.log_in(request, form.user, goal_of(request))
    for error in form.non_field_errors():
        messages.error(request, str(error))
    response = redirect("login")
    if status_of(form) == 429:
        return render(request, "registration/too_many.html", status=429)
    return response


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask who is logged in to show once more that it is them."""
    user, goal = cast(User, request.user), goal_of(request)
    form = ConfirmForm(request.POST or None, request=request, user=user)
    if form.is_valid():
        confirming.confirm(request)
        return HttpResponseRedirect(goal)
    linked = set(SocialAccount.objects.filter(user=user).values_list("provider", flat=True))
    shown = {
        "form": form,
        "goal": goal,
        "has_passkeys": owned.of_type(user.pk, owned.Type.WEBAUTHN).exists(),
        "providers": [known for known in known_providers() if known.issuer in linked],
    }
    return render(request, "registration/confirm.html", shown, status=status_of(form))


def goal_of(request: HttpRequest) -> str:
    """Where who asks wants to go, if that is a page of this site."""
    goal = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    is_own = url_has_allowed_host_and_scheme(goal, {request.get_host()}, require_https=request.is_secure())
    return goal if is_own else resolve_url(settings.LOGIN_REDIRECT_URL)
