"""A JSON column that gives back what was put in, order of keys included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


class BrokenJSON(str):
    """What stands in the column and is no JSON, as another program has left it. It is stored again as it is."""


class VerbatimJSONField(_TextField):
    """JSON stored as text. What is none is read as ``BrokenJSON``: one broken row must not hide the others.

    PostgreSQL's ``jsonb`` (Django's JSONField) sorts keys and rewrites numbers; a provider
    that signs what it said must get the very same back.
    """

    # What mypy's plugin for Django is to take for the type of the values.
    _pyi_private_get_type: Any
    _pyi_private_set_type: Any

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        """Return the stored value."""
        try:
            return None if value is None else json.loads(value)
        except (ValueError, RecursionError):
            return BrokenJSON(value)

    def get_prep_value(self, value: Any) -> str | None:
        """Return the text to store; lone surrogates and NUL travel as escapes."""
        if value is None or isinstance(value, BrokenJSON):
            return value
        return json.dumps(value, separators=(",", ":"))

    def value_to_string(self, obj: models.Model) -> Any:
        """Return the text for a fixture."""
        return self.get_prep_value(self.value_from_object(obj))

    def to_python(self, value: Any) -> Any:
        """Return the value that a fixture's text stands for."""
        return json.loads(value) if isinstance(value, str) else value
