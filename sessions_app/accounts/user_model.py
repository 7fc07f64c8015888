"""Which models of users a project may have of its own (AUTH_USER_MODEL): such as ``database.users`` can name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core.checks import CheckMessage, Error
from django.db.models import IntegerField, Model

_COLUMNS = ("id", "username", "password", "is_active")
_NAME = re.compile("[a-z_][a-z0-9_]*")


def check(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Report a user model that statements in plain SQL could not name."""
    model: type[Model] = get_user_model()
    columns = {field.column for field in model._meta.concrete_fields}
    is_usual = issubclass(model, AbstractUser) and isinstance(model._meta.pk, IntegerField)
    if is_usual and columns.issuperset(_COLUMNS) and _NAME.fullmatch(model._meta.db_table):
        return []
    text = (
        f"AUTH_USER_MODEL={model._meta.label} cannot be used: it must be an AbstractUser with an integer as its key,"
        f" the columns {', '.join(_COLUMNS)}, and a table whose name has small letters, digits and underscores alone."
    )
    return [Error(text, id="accounts.E002")]
