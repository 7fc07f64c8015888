"""Answers a form whose CSRF token is not good (`settings.CSRF_FAILURE_VIEW`).

Each login gives the browser another token, so every form that was loaded before it is out of date. Whoever sends one
is led on, with one sentence, to where it can be sent again. What the form asks for is never done here:

1. A request from another site, or to a page that is not listed below: refused (403).
2. Log in, sign up: a user who is logged in already goes where they wanted. All others, and who typed another name than
   the one logged in, get the form again, with the name in it.
3. Log out: a user who is logged in is asked again; one who is not is where they wanted to be.
4. The other pages of the accounts and the admin are loaded again.
"""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import redirect, render

from sessions_app.accounts.views import LoginView, signup

OUT_OF_DATE = "This page was out of date; please try again."
NO_COOKIE = "Your browser sent no cookie: if this happens again, allow cookies for this site."
# How Django's reasons begin that are about the token, not about where the request comes from.
_TOKEN_REASONS = ("CSRF token", "CSRF cookie")

Answer = Callable[[HttpRequest, str], HttpResponseBase]


def answer_stale_form(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer in the place of the view that was asked for. `reason` is Django's."""
    answer = _answer_of(request) if reason.startswith(_TOKEN_REASONS) else None
    if answer is None:
        return render(request, "registration/refused.html", status=403)
    return answer(request, f"{OUT_OF_DATE} {NO_COOKIE}" if reason == REASON_NO_CSRF_COOKIE else OUT_OF_DATE)


def _answer_of(request: HttpRequest) -> Answer | None:
    name = request.resolver_match.view_name if request.resolver_match and request.method == "POST" else ""
    return _ANSWERS.get(name) or (_load_again if name.startswith("admin:") else None)


def _load_again(request: HttpRequest, sentence: str, page: str = "") -> HttpResponseBase:
    messages.warning(request, sentence)
    return redirect(page or request.get_full_path())


def _log_in_as_staff(request: HttpRequest, sentence: str) -> HttpResponseBase:
    return (_load_again if settings.OIDC_ONLY else _log_in)(request, sentence)


def _log_in(request: HttpRequest, sentence: str) -> HttpResponseBase:
    name = _make_get(request)
    if _is_logged_in_as(request, name):
        view = LoginView()
        view.setup(request)
        return HttpResponseRedirect(view.get_success_url())
    messages.warning(request, sentence)
    return LoginView.as_view(initial={"username": name})(request)


def _sign_up(request: HttpRequest, sentence: str) -> HttpResponseBase:
    name = _make_get(request)
    if _is_logged_in_as(request, name):
        return redirect(settings.LOGIN_REDIRECT_URL)
    messages.warning(request, sentence)
    return signup(request, name)


def _log_out(request: HttpRequest, sentence: str) -> HttpResponseBase:
    if not request.user.is_authenticated:
        return redirect(settings.LOGOUT_REDIRECT_URL)
    messages.warning(request, sentence)
    return render(request, "registration/logout.html")


def _make_get(request: HttpRequest) -> str:
    """Make of a POST the GET of the same page, and return the user name that was typed."""
    posted = request.POST
    request.method, request.POST = "GET", QueryDict()
    if REDIRECT_FIELD_NAME in posted:
        query = request.GET.copy()
        query[REDIRECT_FIELD_NAME] = posted[REDIRECT_FIELD_NAME]
        request.GET = query  # type: ignore[assignment]
    return posted.get("username", "")


def _is_logged_in_as(request: HttpRequest, name: str) -> bool:
    return request.user.is_authenticated and name in ("", request.user.get_username())


_ANSWERS: dict[str, Answer] = {
    "login": _log_in,
    "admin_login": _log_in_as_staff,
    "second_factor": _load_again,
    "passkey_login": partial(_load_again, page="login"),
    "confirm": _load_again,
    "confirm_by_provider": partial(_load_again, page="confirm"),
    "set_up_app": _load_again,
    "change_passkey": _load_again,
    **dict.fromkeys(
        (
            *("connect_provider", "disconnect_provider", "remove_app", "new_recovery_codes"),
            *("add_passkey", "remove_passkey"),
        ),
        partial(_load_again, page="security"),
    ),
    "signup": _sign_up,
    "logout": _log_out,
    "admin:logout": _log_out,
    "password_change": _load_again,
    "admin_password_change": _load_again,
    "password_reset": _load_again,
    "password_reset_confirm": _load_again,
    "email": _load_again,
    "confirm_email": _load_again,
    "end_login": partial(_load_again, page="logins"),
    "end_all_logins": partial(_load_again, page="logins"),
    "delete_account": _load_again,
    "delete_chats": _load_again,
    **{name: partial(_load_again, page="deletion") for name in ("export_first", "keep_account", "keep_chats")},
    "tokens": _load_again,
    "revoke_token": partial(_load_again, page="tokens"),
}
