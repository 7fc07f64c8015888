"""Pages of a forgotten password, where mail is sent; else there are none."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import get_user_model, views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from sessions_app.accounts import addresses, throttle
from sessions_app.accounts.factors.confirming import is_confirmed
from sessions_app.accounts.judging import status_of
from sessions_app.accounts.reset_forms import EmailForm, ResetForm, ResetPasswordForm
from sessions_app.accounts.throttle import Rule, TooManyAttempts


class ResetView(views.PasswordResetView):
    """Asks for an address, and says the same whether somebody has it."""

    template_name = "registration/reset.html"
    email_template_name = "registration/reset_mail.txt"
    subject_template_name = "registration/reset_subject.txt"
    form_class = ResetForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=status_of(form))


class ResetLinkView(views.PasswordResetConfirmView):
    """Where the mail's link leads: a new password, once. 50 bad links per address in 15 minutes."""

    template_name = "registration/reset_link.html"
    success_url = reverse_lazy("login")
    form_class = ResetPasswordForm

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            counted = throttle.admit([Rule(50, ("reset link", throttle.address(self.request)))])
        except TooManyAttempts:
            return render(self.request, self.template_name, {"validlink": False}, status=429)
        response = super().dispatch(*args, **kwargs)
        # A good link leads on at once, to an address without its token.
        if self.validlink or response.status_code == 302:
            throttle.forgive(counted)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password was changed. Log in with the new one.")
        return super().form_valid(form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """Where the mail to a new address leads. 50 bad links per address in 15 minutes."""
    try:
        counted = throttle.admit([Rule(50, ("reset link", throttle.address(request)))])
    except TooManyAttempts:
        return render(request, "registration/confirm_email.html", status=429)
    if (found := addresses.read(token)) is None:
        return render(request, "registration/confirm_email.html")
    throttle.forgive(counted)
    user, address = found
    if request.method != "POST":
        return render(request, "registration/confirm_email.html", {"owner": user, "address": address})
    user.email = address
    with transaction.atomic():
        user.save(update_fields=["email"])
    messages.success(request, "Your e-mail address was saved.")
    return redirect("email")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def email(request: HttpRequest) -> HttpResponse:
    """The address that a mail for a new password goes to."""
    user = get_user_model().objects.get(pk=cast(User, request.user).pk)
    if not user.has_usable_password() and not is_confirmed(request):
        return redirect(f"{reverse('confirm')}?next={reverse('email')}")
    before = user.email
    form = EmailForm(request.POST or None, instance=user, request=request)
    if form.is_valid():
        if not user.email:
            form.remove()
            messages.success(request, "Your e-mail address was removed.")
        elif user.email != before:
            asked, user.email = user.email, before
            addresses.ask(request, user, asked)
            messages.success(request, f"Look into your mail: {asked} is your address once you follow the link there.")
        return redirect("email")
    return render(request, "registration/email.html", {"form": form}, status=status_of(form))
