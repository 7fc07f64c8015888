"""Forms that take a code or a passkey. Each asks the throttle first."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from sessions_app.accounts import browsers, throttle
from sessions_app.accounts.factors import codes, owned, passkeys
from sessions_app.accounts.fields import WRONG_ENTRY, PlainForm, password_field
from sessions_app.accounts.judging import Failure, judging, judging_own_password
from sessions_app.accounts.throttle import Rule
from sessions_app.audit import Action
from sessions_app.models.sealed import UnreadableSecret

WRONG_CODE = "That code is wrong, or was used before. Each code is good once."
UNREADABLE = "Your codes can no longer be checked here. Ask an administrator of this site to reset your second factor."


def code_field(help_text: str) -> forms.CharField:
    """Return a field for a code, which the browser or a password manager may fill in."""
    widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"})
    return forms.CharField(label="Code", max_length=20, required=False, widget=widget, help_text=help_text)


class CredentialField(forms.CharField):
    """What the browser says of a passkey, put there by the page's script."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=100_000, widget=forms.HiddenInput)


class FactorForm(PlainForm, forms.Form):
    """A second factor of somebody who has shown the first: in 15 minutes 5 wrong ones per address, and 10 in all.

    A browser in which they have logged in before has 5 of its own instead.
    """

    code = code_field("Of your authenticator app, or one of your recovery codes.")
    credential = CredentialField()

    def __init__(self, *args: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.user = request, user

    def clean(self) -> dict[str, Any]:
        """Judge what was given."""
        given = self.cleaned_data
        if not given.get("code") and not given.get("credential"):
            raise ValidationError("Enter a code.")
        with self.judged():
            if given.get("credential"):
                passkeys.take(given["credential"], self.user)
            elif not _is_right(self.user.pk, given["code"]):
                raise ValidationError(WRONG_CODE)
        return given

    def judged(self) -> AbstractContextManager[None]:
        """Count the attempt."""
        user, where = str(self.user.pk), throttle.address(self.request)
        failure = Failure(Action.LOGIN_FAILED, self.user.pk, "second_factor")
        if browser := browsers.known(self.request, self.user.get_username()):
            return judging(Rule(5, ("known factor", user, browser)), failure=failure)
        rules = Rule(5, ("factor", user, where)), Rule(10, ("factor", user)), Rule(50, ("login", where))
        return judging(*rules, failure=failure)


class ConfirmForm(FactorForm):
    """The password, a code or a passkey of who is logged in; throttled like every password of one's own."""

    password = password_field("Password", "current-password")
    field_order = ("password", "code", "credential")

    def __init__(self, *args: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        super().__init__(*args, request=request, user=user, **kwargs)
        self.fields["password"].required = False
        if not user.has_usable_password():
            del self.fields["password"]
        if not owned.has_second_factor(user.pk):
            del self.fields["code"]
        else:
            self.fields["code"].help_text = "In the place of the password."

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("code") or given.get("credential"):
            return super().clean()
        if not given.get("password"):
            raise ValidationError(
                "Enter your password, or a code." if "code" in self.fields else "Enter your password."
            )
        with self.judged():
            if not self.user.check_password(given["password"]):
                raise ValidationError(WRONG_ENTRY)
        return given

    def judged(self) -> AbstractContextManager[None]:
        return judging_own_password(self.request)


class PasskeyLoginForm(forms.Form):
    """A passkey in the place of name and password: 50 wrong ones per address in 15 minutes."""

    credential = CredentialField()

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: User | None = None

    def clean(self) -> dict[str, Any]:
        failure = Failure(Action.LOGIN_FAILED, None, "passkey")
        with judging(Rule(50, ("login", throttle.address(self.request))), failure=failure):
            self.user = passkeys.take(self.cleaned_data.get("credential", ""))
        return self.cleaned_data


class AppForm(PlainForm, forms.Form):
    """The first code of an app that is set up; guesses at it gain nothing, as who sets it up sees the secret."""

    code = code_field("The six digits that the app shows now.")

    def __init__(self, *args: Any, secret: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret = secret
        self.fields["code"].required = True
        self.period = 0

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        period = codes.matching_period(self.secret, code)
        if period is None:
            raise ValidationError("That is not the code that the app should show. Is the clock of your device right?")
        self.period = period
        return code


class PasskeyForm(PlainForm, forms.Form):
    """A new passkey's name, and what the browser has made."""

    name = forms.CharField(max_length=passkeys.LONGEST_NAME, label="Name", help_text="Such as “My laptop”.")
    credential = CredentialField()


class PasskeyNameForm(PlainForm, forms.Form):
    """Another name for a passkey."""

    name = forms.CharField(max_length=passkeys.LONGEST_NAME, label="Name")


def _is_right(user_id: int, code: str) -> bool:
    """Use the code up. Raises ValidationError where nobody can say."""
    try:
        return codes.take_code(user_id, code) or codes.take_recovery_code(user_id, code)
    except UnreadableSecret:
        raise ValidationError(UNREADABLE) from None
