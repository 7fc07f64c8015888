"""Pages of the accounts."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.accounts import browsers, logins
from sessions_app.accounts.forms import LoginForm, NewPasswordForm, SignupForm, TokenForm
from sessions_app.accounts.judging import status_of
from sessions_app.accounts.models import Login
from sessions_app.accounts.throttle import address
from sessions_app.conversations import features
from sessions_app.errors import Forbidden
from sessions_app.models import ApiToken, Feature, TooManyTokens


def _signup_is_open() -> bool:
    return settings.HERMES_SIGNUP == "open"


class LoginView(views.LoginView):
    """The one door for people: Django admin's login leads here too, so that both are throttled together."""

    template_name = "registration/login.html"
    form_class = LoginForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(signup_is_open=_signup_is_open(), **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        browsers.remember(self.request, response, form.get_user().get_username())
        return response

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=status_of(form))


class LogoutView(views.LogoutView):
    """Asks whether to log out where nobody has said so by a form: a link, or an address typed in."""

    http_method_names = [*views.LogoutView.http_method_names, "get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask; who is not logged in is led to the login."""
        if not request.user.is_authenticated:
            return redirect(settings.LOGOUT_REDIRECT_URL)
        return render(request, "registration/logout.html")


class PasswordChangeView(views.PasswordChangeView):
    """Asks for the old password; the user's other logins end, and their API tokens unless they keep them."""

    template_name = "registration/change_password.html"
    success_url = reverse_lazy("password_change")
    form_class = NewPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password was changed.")
        return super().form_valid(form)

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=status_of(form))


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def signup(request: HttpRequest, name: str = "") -> HttpResponse:
    """A new account, where HERMES_SIGNUP is open. `name` stands in the empty form."""
    if not _signup_is_open():
        return render(request, "registration/signup_closed.html", status=403)
    form = SignupForm(request.POST or None, address=address(request), initial={"username": name})
    if form.is_valid():
        try:
            user = form.save()
        except ValidationError as taken:
            form.add_error(None, taken)
        else:
            login(request, user)
            response = redirect(settings.LOGIN_REDIRECT_URL)
            browsers.remember(request, response, user.get_username())
            return response
    return render(request, "registration/signup.html", {"form": form}, status=status_of(form))


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """The user's tokens, and a new one. Its clear text is in this answer and nowhere else, not even in the session."""
    user = cast(User, request.user)
    form, clear_text, status = TokenForm(request.POST or None, owner=user), None, 200
    if form.is_valid():
        try:
            clear_text = form.issue()
        except TooManyTokens as refusal:
            form.add_error(None, str(refusal))
        except Forbidden:
            status = 403  # the page says why
        else:
            form = TokenForm(owner=user)
    own = ApiToken.objects.filter(owner=user).select_related("profile").order_by("-created_at", "-pk")
    may = features.allowed(user.pk, Feature.API_TOKENS)
    shown = {"form": form if may else None, "clear_text": clear_text, "tokens": own}
    return render(request, "registration/tokens.html", shown, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token of the user's own, once they have been asked; anybody else's is not found."""
    token = get_object_or_404(ApiToken, pk=pk, owner=request.user)
    if request.method != "POST":
        return render(request, "registration/revoke_token.html", {"token": token})
    token.delete()
    messages.success(request, f"“{token}” was revoked.")
    return redirect("tokens")


@never_cache
@require_http_methods(["GET", "HEAD"])
@login_required
def signed_in(request: HttpRequest) -> HttpResponse:
    """Where the user is logged in, this browser first."""
    user = cast(User, request.user)
    shown = [
        {
            "login": row,
            "browser": browsers.called(row.user_agent),
            "here": row.session_key == request.session.session_key,
        }
        for row in logins.valid(user)
    ]
    shown.sort(key=lambda row: not row["here"])
    return render(request, "registration/logins.html", {"logins": shown})


@require_POST
@login_required
def end_login(request: HttpRequest, pk: int) -> HttpResponse:
    """End one login of the user's own; anybody else's is not found, nor is one that has ended."""
    held = {row.pk: row for row in logins.valid(cast(User, request.user))}
    if pk not in held:
        raise Http404
    if held[pk].session_key == request.session.session_key:
        return _log_out(request)
    logins.end(Login.objects.filter(pk=pk))
    messages.success(request, "That login was ended.")
    return redirect("logins")


@require_POST
@login_required
def end_all_logins(request: HttpRequest) -> HttpResponse:
    """End the user's other logins, and this one too where that is asked for."""
    own = Login.objects.filter(owner=cast(User, request.user))
    if request.POST.get("this_too"):
        logins.end(own)
        return _log_out(request)
    logins.end(own.exclude(session_key=request.session.session_key))
    messages.success(request, "You are logged out everywhere else.")
    return redirect("logins")


def _log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)
