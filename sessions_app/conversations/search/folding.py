"""Compare texts in any Unicode normal form, width and letter case.

Two texts are equal here where Unicode's *compatibility caseless match* says so (definition D146
of the standard, chapter 3.13): composed and decomposed letters, full and half width, ligatures,
superscripts, upper and lower case. Case is folded by the rules of no language in particular:
``ß`` equals ``ss``, the two small sigmas are equal, and ``i`` without its dot is a letter of its
own. Accents count: ``e`` is not ``é``.

The folded text is composed (NFKC), so a query ends where a character ends: ``e`` is not found in
an ``é``, however that is stored.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

# Long texts are folded in pieces. CPython sorts the marks of one letter in quadratic time, and
# holds its lock meanwhile; a run of marks longer than this is cut, which no written language has.
PIECE_LENGTH = 256

_FIRST_JOINING = "\u0300"
# What joins the character before it although its category is not that of a mark: vowels and final
# consonants of Hangul in each of their encodings, and the voiced marks of half-width katakana.
_JOINING = (
    ("\u1160", "\u11ff"),
    ("\u3131", "\u318e"),
    ("\ud7b0", "\ud7ff"),
    ("\uff9e", "\uff9f"),
    ("\uffa0", "\uffdc"),
)


def fold(text: str) -> str:
    """Return the form of a text in which equal texts are the same string."""
    if text.isascii():
        return text.lower()
    return "".join(map(_fold, pieces(text, PIECE_LENGTH)))


def find(text: str, folded: str) -> tuple[int, int] | None:
    """Return from where to where a stored text holds a folded query first; None where it does not.

    The span covers whole characters with their marks, also where only a part of one matches: half a ligature.
    """
    first = fold(text).find(folded)
    if first < 0:
        return None
    if text.isascii():
        return first, first + len(folded)
    return _character(text, first)[0], _character(text, first + len(folded) - 1)[1]


def pieces(text: str, length: int) -> Iterator[str]:
    """Cut a text into pieces of about ``length`` characters that can be folded one by one."""
    start = 0
    while start < len(text):
        end = start + length
        while end < min(len(text), start + length + PIECE_LENGTH) and joins(text[end]):
            end += 1
        yield text[start:end]
        start = end


def joins(character: str) -> bool:
    """Tell whether a character may make another one of what stands before it."""
    if character < _FIRST_JOINING:
        return False
    if unicodedata.category(character)[0] == "M":
        return True
    return any(first <= character <= last for first, last in _JOINING)


def _fold(text: str) -> str:
    once = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold())


def _character(text: str, place: int) -> tuple[int, int]:
    """Return the span of the character, with its marks, from which the folded text's ``place`` was made."""
    start, end = 0, len(text)
    for length in (PIECE_LENGTH, 16, 1):
        first, last, place = _piece(text[start:end], place, length)
        start, end = start + first, start + last
    return start, end


def _piece(text: str, place: int, length: int) -> tuple[int, int, int]:
    """Return the span of the piece that the folded text's ``place`` is in, and where in its own folding that is."""
    start = 0
    for piece in pieces(text, length):
        size = len(fold(piece))
        if place < size:
            return start, start + len(piece), place
        start, place = start + len(piece), place - size
    return 0, len(text), place  # a run of marks was cut in different places
