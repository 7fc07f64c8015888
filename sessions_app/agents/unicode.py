"""Text from a provider made fit for a database and for UTF-8: no lone surrogates, no NUL."""

from __future__ import annotations

import re
from typing import Any

_UNFIT = re.compile("[\ud800-\udfff\0]")


def clean(text: str) -> str:
    """The text with U+FFFD in the place of each character that cannot be stored; lengths stay."""
    return _UNFIT.sub("\ufffd", text)


def clean_json(value: Any) -> Any:
    """A JSON value with every string in it cleaned, keys included."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean_json(item) for key, item in value.items()}
    return value
