"""Who comes back from a provider: what their login there does here.

The process, which the state has kept since they left: log in; connect the account that is logged in; confirm that it is
still its user who sits there.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from sessions_app.accounts import doors
from sessions_app.accounts.factors import confirming
from sessions_app.accounts.providers import failing, given_groups, people
from sessions_app.accounts.providers.claims import groups_in
from sessions_app.accounts.providers.id_tokens import LEEWAY_SECONDS
from sessions_app.accounts.providers.known import KnownProvider
from sessions_app.accounts.providers.requests import UnusableAnswer

LOGIN, CONNECT, CONFIRM = "login", "link", "confirm"


def answer(request: HttpRequest, login: SocialLogin) -> HttpResponse:
    """Answer who comes back. Raises UnusableAnswer where the token was not made for this login."""
    known, state, claims = login.provider.known, login.state, login.claims
    if claims.get("nonce") != state["nonce"]:
        raise UnusableAnswer("its ID token was made for another login")
    if state["process"] == LOGIN:
        return _log_in(request, known, state, claims)
    if not request.user.is_authenticated or request.user.pk != state["data"]["user"]:
        return failing.page(request, known, failing.UNKNOWN, HTTPStatus.BAD_REQUEST)
    return (_connect if state["process"] == CONNECT else _confirm)(request, known, state, claims)


def _log_in(request: HttpRequest, known: KnownProvider, state: dict[str, Any], claims: dict[str, Any]) -> HttpResponse:
    try:
        account = people.account_of(known.issuer, claims)
    except people.NoFreeName:
        return failing.page(request, known, failing.FULL, HTTPStatus.CONFLICT)
    if not given_groups.set_given(account, known.groups_of(groups_in(claims, known.groups_claim))):
        return failing.page(request, known, failing.INACTIVE, HTTPStatus.FORBIDDEN)
    return doors.let_in(request, account.user, state["next"])


def _connect(request: HttpRequest, known: KnownProvider, state: dict[str, Any], claims: dict[str, Any]) -> HttpResponse:
    user: Any = request.user
    if not people.link(known.issuer, claims["sub"], user):
        return failing.page(request, known, failing.OTHERS, HTTPStatus.CONFLICT)
    messages.success(request, f"You can log in with {known.name} now.")
    return HttpResponseRedirect(state["next"])


def _confirm(request: HttpRequest, known: KnownProvider, state: dict[str, Any], claims: dict[str, Any]) -> HttpResponse:
    own = SocialAccount.objects.filter(user=request.user.pk, provider=known.issuer, uid=claims["sub"])
    if not own.exists():
        return failing.page(request, known, failing.OTHERS, HTTPStatus.CONFLICT)
    since = claims.get("auth_time")
    # Asked for by max_age, so a provider that heeds it says when.
    if not isinstance(since, int | float) or time.time() - since > confirming.GOOD_FOR.total_seconds() + LEEWAY_SECONDS:
        return failing.page(request, known, failing.NOT_NOW, HTTPStatus.FORBIDDEN)
    confirming.confirm(request)
    return HttpResponseRedirect(state["next"])
