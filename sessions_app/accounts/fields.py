"""What the forms of the accounts have in common: labels without colons, and one password field that can be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import User

if TYPE_CHECKING:
    _Form = forms.BaseForm
    _SetsPassword = Any
else:
    _Form = _SetsPassword = object

EMAIL_LABEL = "E-mail address (optional)"
EMAIL_HELP = "Only for a new password, if you forget yours. It counts once you follow the link that we send there."
WRONG_ENTRY = "The password is wrong. Capital letters count."


class PasswordInput(forms.PasswordInput):
    """A password field with a button that shows what was typed; without scripts there is none."""

    template_name = "registration/password_input.html"

    class Media:
        js = (forms.Script("sessions_app/js/reveal.js", type="module"),)


def password_field(label: str, autocomplete: str) -> forms.CharField:
    """Return a field for a password; `autocomplete` tells the browser whether it is a new one."""
    widget = PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, widget=widget)


class PlainForm(_Form):
    """A form whose labels are its own, without Django's colons."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)


class OnePassword(_SetsPassword):
    """One of Django's forms that set a password, with one field for it in place of two.

    Its rules are told when one is broken. `FIELD`: its name.
    """

    FIELD = "new_password1"

    def validate_password_for_user(self, user: User, _field: str = "") -> None:
        """Judge the password by the site's rules, and say at its field which are broken."""
        super().validate_password_for_user(user, self.FIELD)

    def set_password_and_save(self, user: User, _field: str = "", commit: bool = True) -> User:
        """Store the password alone: to hash it takes a while, and what was done to the account meanwhile stays."""
        changed: User = super().set_password_and_save(user, self.FIELD, commit=False)
        if commit:
            changed.save(update_fields=None if changed.pk is None else ["password"])
        return changed
