"""User names: none may be taken for another.

Names that differ in case only, and those that look alike (letters of other scripts, full width, accents), are refused
by the database itself, whichever way they come (``sql/``). Here is what forms say before that. Where somebody logs in,
a name is taken letter by letter.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, models

from sessions_app.accounts.models import NameShape

REFUSAL = "A user with that username already exists, or one whose name looks like it."


def refuse_look_alikes(field: models.Field[Any, Any]) -> None:
    """Have the field of user names refuse look-alikes, in every form and in ``createsuperuser``.

    Not by a validator: that does not learn whose name it looks at, and one's own may change its case. Migrations look
    at neither.
    """
    validate = field.validate

    def validate_both(name: Any, user: Any) -> None:
        validate(name, user)
        _validate(name, user)

    field.validate = validate_both  # type: ignore[method-assign,assignment]


def _validate(name: str, user: User | None) -> None:
    users, others = get_user_model().objects, NameShape.objects.exclude(owner=user and user.pk)
    # A name that is there already, letter by letter, is either their own or Django says that it is taken.
    if others.filter(shape__in=shapes_of(name)).exists() and not users.filter(username=name).exists():
        raise ValidationError(REFUSAL, code="alike")


def shapes_of(name: str) -> set[str]:
    """Return what the name looks like: as it is, in lower and in upper case."""
    letters = sorted(set(name) - {"\0"})  # which PostgreSQL has in no text, and no form lets through
    marks = ", ".join(["%s"] * len(letters)) or "NULL"
    asked = f"SELECT character, as_is, in_lower, in_upper FROM hermes_name_character WHERE character IN ({marks})"  # nosec B608
    with connection.cursor() as cursor:
        cursor.execute(asked, letters)
        forms = {character: forms for character, *forms in cursor.fetchall()}
    return {"".join(forms.get(letter, [letter] * 3)[form] for letter in name) for form in range(3)}
