"""Pages of the accounts."""

from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.accounts import addresses, browsers, doors, logins
from sessions_app.accounts.forms import LoginForm, NewPasswordForm, SignupForm, StaffLoginForm, TokenForm
from sessions_app.accounts.judging import status_of
from sessions_app.accounts.models import Login
from sessions_app.accounts.providers.known import known_providers
from sessions_app.accounts.throttle import address
from sessions_app.conversations import features
from sessions_app.errors import Forbidden
from sessions_app.models import ApiToken, Feature, TooManyTokens


def _signup_is_open() -> bool:
    return settings.HERMES_SIGNUP == "open" and not settings.OIDC_ONLY


class LoginView(views.LoginView):
    """The one door for people: Django admin's login leads here too, so that both are throttled together.

    Where all logins are a provider's (OIDC_ONLY), it judges no password.
    """

    template_name = "registration/login.html"
    form_class: type[AuthenticationForm] = LoginForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.takes_passwords:
            return redirect(f"{reverse('login')}?{urlencode({self.redirect_field_name: self.get_success_url()})}")
        return super().post(request, *args, **kwargs)

    @property
    def takes_passwords(self) -> bool:
        """Whether this door judges passwords."""
        return not settings.OIDC_ONLY

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {"signup_is_open": _signup_is_open(), "providers": list(known_providers())}
        return super().get_context_data(takes_passwords=self.takes_passwords, **more, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        return doors.let_in(self.request, form.get_user(), self.get_success_url())

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=status_of(form))


class StaffLoginView(LoginView):
    """Administrators' own door, where all other logins are a provider's: theirs must stand when that is down."""

    form_class = StaffLoginForm

    @property
    def takes_passwords(self) -> bool:
        """Always."""
        return True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(for_staff=True, **kwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Lead to the login of all, where there is no other."""
        if not settings.OIDC_ONLY:
            return redirect(f"{reverse('login')}{_query_of(request)}")
        if request.method == "GET" and request.user.is_authenticated and request.user.is_staff:
            return HttpResponseRedirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")


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

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Tell who has no password that there is none to change."""
        if request.user.is_authenticated and not request.user.has_usable_password():
            return render(request, "registration/no_password.html")
        return super().dispatch(request, *args, **kwargs)

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
            if email := form.cleaned_data.get("email"):
                addresses.ask(request, user, email)
            return doors.log_in(request, user, resolve_url(settings.LOGIN_REDIRECT_URL))
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
    messages.success(request, f"“{token.name}” was revoked.")
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


def _query_of(request: HttpRequest) -> str:
    query = request.META.get("QUERY_STRING", "")
    return f"?{query}" if query else ""


def _log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)
