"""Forms of the accounts' pages."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from sessions_app.accounts import throttle
from sessions_app.accounts.throttle import Rule, TooManyAttempts
from sessions_app.models import ApiToken

THROTTLED = "throttled"


def _admit(*rules: Rule) -> list[Any]:
    try:
        return list(throttle.admit(rules))
    except TooManyAttempts:
        minutes = throttle.WINDOW.seconds // 60
        raise ValidationError(f"Too many attempts. Try again in {minutes} minutes.", code=THROTTLED) from None


class LoginForm(AuthenticationForm):
    """Django's, throttled: 5 wrong passwords per user name and address, 50 per address, in 15 minutes.

    Whether the user exists makes no difference to any answer.
    """

    def clean(self) -> dict[str, Any]:
        if "username" not in self.cleaned_data or self.request is None:
            return super().clean()
        where = throttle.address(self.request)
        name = self.cleaned_data["username"].casefold()
        attempts = _admit(Rule(5, ("login", name, where)), Rule(50, ("login", where)))
        cleaned = super().clean()
        throttle.forgive(attempts)
        return cleaned


class SignupForm(UserCreationForm):
    """Django's, throttled: 30 attempts per address in 15 minutes, for each tells whether a name is taken."""

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    def clean(self) -> dict[str, Any]:
        _admit(Rule(30, ("signup", self.address)))
        return super().clean() or self.cleaned_data

    def save(self, commit: bool = True) -> User:
        """Raises ValidationError where somebody took the name a moment ago."""
        try:
            with transaction.atomic():
                user: User = super().save(commit)
        except IntegrityError:
            raise ValidationError({"username": "A user with that username already exists."}) from None
        return user


class TokenForm(forms.ModelForm):
    """A name for a new token."""

    name = forms.CharField(max_length=100, label="What is it for?")

    class Meta:
        model = ApiToken
        fields = ("name",)
