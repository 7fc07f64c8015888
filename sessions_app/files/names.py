"""The name of a file, as it is kept and shown: a person's, without what would deceive another, or a program."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

from sessions_app.models.files import NAME_LENGTH

NAMELESS = "file"
MAX_SUFFIX = 12
_DECEIVING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Control characters, those that turn the direction of writing, and what is no character."""


def cleaned(name: str) -> str:
    """Return the last part of a path, without characters that nobody sees; shortened before its suffix."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    seen = "".join(character for character in last if unicodedata.category(character) not in _DECEIVING)
    seen = " ".join(seen.split()).strip(". ") if seen.strip(". ") else NAMELESS
    suffix = suffix_of(seen)
    return seen if len(seen) <= NAME_LENGTH else seen[: NAME_LENGTH - len(suffix)] + suffix


def suffix_of(name: str) -> str:
    """Return how a name ends, in lower case: ``.pdf``; empty where that says nothing."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= MAX_SUFFIX else ""


def with_suffix(name: str, suffix: str) -> str:
    """Return a name that ends as a file does whose bytes are kept in another form."""
    own = suffix_of(name)
    stem = name[: len(name) - len(own)] if own else name
    return cleaned(stem[: NAME_LENGTH - len(suffix)] + suffix)
