"""Forms of the accounts' pages. Each that judges a password asks the throttle first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from sessions_app.accounts import browsers, passwords, throttle
from sessions_app.accounts.fields import EMAIL_HELP, EMAIL_LABEL, WRONG_ENTRY, OnePassword, PlainForm, password_field
from sessions_app.accounts.judging import Failure, admit, judging, judging_own_password
from sessions_app.accounts.names import REFUSAL
from sessions_app.accounts.throttle import Rule
from sessions_app.audit import Action
from sessions_app.conversations import features, profiles
from sessions_app.models import AgentProfile, ApiToken, Feature
from sessions_app.models.tokens import LIFETIME


class LoginForm(PlainForm, AuthenticationForm):
    """Django's, throttled: in 15 minutes 5 wrong passwords per user name and address and 50 per address.

    Over all addresses, a name that is guessed at has to wait longer each time. A browser in which the user has logged
    in before has 5 of its own instead. Whether the user exists makes no difference to any answer.
    """

    error_messages = {"invalid_login": "The username or the password is wrong. Capital letters count."}

    password = password_field("Password", "current-password")

    def clean(self) -> dict[str, Any]:
        if "username" not in self.cleaned_data or self.request is None:
            return super().clean()
        typed, where = self.cleaned_data["username"], throttle.address(self.request)
        name, failure = typed.casefold(), Failure(Action.LOGIN_FAILED, _user_named(typed))
        if browser := browsers.known(self.request, name):
            attempt = judging(Rule(5, ("known", name, browser)), failure=failure)
        else:
            rules = Rule(5, ("login", name, where)), Rule(50, ("login", where))
            attempt = judging(*rules, failure=failure, name=name)
        with attempt:
            return super().clean()


class StaffLoginForm(LoginForm):
    """The same for staff alone; who is none gets the answer of a wrong password."""

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if not user.is_staff:
            raise self.get_invalid_login_error()


def _user_named(name: str) -> int | None:
    """Return the user of a name; of any other text nothing is recorded: it may be a password in the wrong field."""
    model = get_user_model()
    return model._default_manager.filter(**{model.USERNAME_FIELD: name}).values_list("pk", flat=True).first()


class NewPasswordForm(PlainForm, OnePassword, PasswordChangeForm):
    """Django's, throttled."""

    error_messages = {"password_incorrect": WRONG_ENTRY}

    old_password = password_field("Old password", "current-password")
    new_password1 = password_field("New password", "new-password")
    new_password2 = None  # type: ignore[assignment]  # Django's way to leave a field out

    keep_tokens = forms.BooleanField(
        required=False,
        label="Keep my API tokens",
        help_text="Else they end now, as your other logins do. Keep them only if nobody else can know them.",
    )

    def __init__(self, user: User, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.request = request
        if not ApiToken.valid().filter(owner=user).exists():
            del self.fields["keep_tokens"]

    def clean_old_password(self) -> str:
        with judging_own_password(self.request):
            return super().clean_old_password()

    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        if self.cleaned_data.get("keep_tokens"):
            passwords.keep_tokens(self.user)
        return super().save(commit)


class SignupForm(PlainForm, OnePassword, UserCreationForm):
    """Django's, throttled: 30 attempts per address in 15 minutes, for each tells whether a name is taken."""

    FIELD = "password1"

    password1 = password_field("Password", "new-password")
    password2 = None  # type: ignore[assignment]

    class Meta(UserCreationForm.Meta):
        model = get_user_model()
        fields = ("username", "email")
        labels = {"email": EMAIL_LABEL}
        help_texts = {"username": "The name you log in with.", "email": EMAIL_HELP}

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address
        if not settings.HERMES_SENDS_MAIL:
            del self.fields["email"]

    def clean(self) -> dict[str, Any]:
        admit(Rule(30, ("signup", self.address)))
        return super().clean() or self.cleaned_data

    def save(self, commit: bool = True) -> User:
        """Raises ValidationError where somebody took the name, or one that looks like it, a moment ago."""
        # It counts once its mailbox was seen (`addresses`).
        self.instance.email = ""
        try:
            with transaction.atomic():
                user: User = super().save(commit)
        except IntegrityError:
            raise ValidationError({"username": REFUSAL}) from None
        return user


class TokenForm(PlainForm, forms.ModelForm):
    """A name for a new token, how long it lasts, and what it may do."""

    LIFETIMES = {7: "7 days", 30: "30 days", LIFETIME.days: "90 days", 365: "a year"}

    name = forms.CharField(max_length=100, label="What is it for?")
    days = forms.TypedChoiceField(
        coerce=int,
        choices=list(LIFETIMES.items()),
        initial=LIFETIME.days,
        required=False,
        label="How long may it be used?",
    )
    profile = forms.ModelChoiceField(
        AgentProfile.objects.none(),
        required=False,
        empty_label="All my chats",
        label="Which chats are there for it?",
        help_text="With a profile, only that one's chats. Its model's tools work as ever: the chat search finds all.",
    )
    reads_only = forms.BooleanField(required=False, label="It only reads, and changes nothing")

    class Meta:
        model = ApiToken
        fields = ("name",)

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.fields["profile"].queryset = profiles.choosable(owner.pk)  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        """Refuse a second token of one name while the first lets in: nobody could tell which one to revoke."""
        name: str = self.cleaned_data["name"]
        if ApiToken.valid().filter(owner=self.owner, name__iexact=name).exists():
            raise ValidationError("You have a token of this name. Revoke it first, or choose another name.")
        return name

    def clean_days(self) -> int:
        """A script may leave it out."""
        return self.cleaned_data["days"] or LIFETIME.days

    @transaction.atomic
    def issue(self) -> str:
        """Make the token and return its clear text. Raises TooManyTokens, Forbidden."""
        features.require(self.owner.pk, Feature.API_TOKENS)
        given = self.cleaned_data
        limits = {"reads_only": given["reads_only"], "profile": given["profile"]}
        return ApiToken.issue(self.owner, given["name"], timedelta(days=given["days"]), **limits)[1]
