"""Text in any encoding: Markdown, tables, source code, letters."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from charset_normalizer import from_bytes

from sessions_app.extraction.bounds import MAX_CHARACTERS
from sessions_app.extraction.kinds import TAKEN
from sessions_app.extraction.results import Extracted, Unreadable

OTHER = f"This file is of a kind that is not taken. {TAKEN}"
CUT = f"Only the first {MAX_CHARACTERS:,} characters are sent."
MEDIA_TYPES = {".md": "text/markdown", ".markdown": "text/markdown", ".csv": "text/csv", ".tsv": "text/csv"}
"""By the end of the name: bytes do not tell, and each of them is a text."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    # Before UTF-16, whose mark it begins with.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_READ_BYTES = 4 * (MAX_CHARACTERS + 1)
_GUESSED_BYTES = 64 * 1024
_ODD = re.compile("[\x00-\x08\x0c\x0e-\x1f\ud800-\udfff]")
_BLANKS = frozenset("\t\n\r\f\v\x1b")


def extract(file: BinaryIO, suffix: str) -> Extracted:
    """Read a text. Raises Unreadable."""
    file.seek(0)
    text = decoded(file.read(_READ_BYTES))
    if not text.strip():
        raise Unreadable("This file is empty.")
    kept, notice = shortened(text)
    return Extracted(MEDIA_TYPES.get(suffix, "text/plain"), suffix or ".txt", text=kept, notice=notice)


def cleaned(text: str) -> str:
    """Return a text without what no database and no JSON takes; a line may be broken by other characters than ours."""
    return _ODD.sub("", text.replace("\r\n", "\n").replace("\v", "\n"))


def shortened(text: str) -> tuple[str, str]:
    """Return as much of a text as is sent, and what is said where that is not all."""
    if len(text) <= MAX_CHARACTERS:
        return text, ""
    return text[:MAX_CHARACTERS], CUT


def decoded(content: bytes) -> str:
    """Return the text in some bytes, which may end within a character. Raises Unreadable where there is none."""
    text = _with_mark(content)
    if text is None and b"\0" not in content:
        text = _tried(content, "utf-8") or _guessed(content)
    if text is None or _is_binary(text):
        raise Unreadable(OTHER, is_other_kind=True)
    return text


def _with_mark(content: bytes) -> str | None:
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
    return _tried(content, encoding) if encoding else None


def _tried(content: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(content)
    except UnicodeDecodeError:
        return None


def _guessed(content: bytes) -> str | None:
    best = from_bytes(content[:_GUESSED_BYTES]).best()
    return content.decode(best.encoding, "replace") if best is not None else None


def _is_binary(text: str) -> bool:
    """Tell whether what was decoded is no text: programs and pictures are full of control characters."""
    beginning = text[:20_000]
    odd = sum(character < " " and character not in _BLANKS for character in beginning)
    return odd > len(beginning) // 100
