"""Pages of a forgotten password, where mail is sent; else there are none."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import get_user_model, views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from sessions_app.accounts import throttle
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


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def email(request: HttpRequest) -> HttpResponse:
    """The address that a mail for a new password goes to."""
    user = get_user_model().objects.get(pk=cast(User, request.user).pk)
    form = EmailForm(request.POST or None, instance=user, request=request)
    if form.is_valid():
        form.save()
        messages.success(
            request, "Your e-mail address was saved." if user.email else "Your e-mail address was removed."
        )
        return redirect("email")
    return render(request, "registration/email.html", {"form": form}, status=status_of(form))
