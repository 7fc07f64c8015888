"""Headers that an operator enters for a tool server."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding"}
MAX_VALUE = 4_000
"""Characters of one header."""


class HeaderError(ValueError):
    """What was entered is no header that can be sent; `str()` says why, and has nothing of its value."""


def header_of(text: str) -> tuple[str, str]:
    """Return name and value of a header that was entered as `Name: value`. Raises HeaderError."""
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not _NAME.fullmatch(name):
        raise HeaderError("it must be entered like Authorization: Bearer abc.")
    if name.lower() in _OURS or name.lower().startswith("mcp-"):
        raise HeaderError(f"{name} is set by this site itself.")
    if not value or len(value) > MAX_VALUE or not value.isascii() or not value.isprintable():
        raise HeaderError(f"the value of {name} must be 1 to {MAX_VALUE:,} printable ASCII characters.")
    return name, value
