"""Text from a provider made fit for a database and for UTF-8: no lone surrogates, no NUL."""

from __future__ import annotations

import re

_UNFIT = re.compile("[\ud800-\udfff\0]")


def clean(text: str) -> str:
    """The text with U+FFFD in the place of each character that cannot be stored; lengths stay."""
    return _UNFIT.sub("\ufffd", text)
