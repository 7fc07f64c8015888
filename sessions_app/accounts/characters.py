"""What each character looks like, by Unicode's table of confusable characters (TR39).

Two texts look alike where they have the same skeleton: compatibility forms are resolved, each character is replaced by
one that stands for all that look like it, and accents and invisible characters are left out (which TR39 keeps). That is
done character by character, so a table of it is enough for a database.

Migrations write the table; nothing else reads it from here.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from confusable_homoglyphs.confusables import confusables_data

# Marks and what has no width. Two letters are invisible as well: the fillers of Korean syllables.
_INVISIBLE_CATEGORIES = {"Mn", "Me", "Cf", "Cc"}
_INVISIBLE_LETTERS = {"\u115f", "\u1160"}
# Unicode's file puts this mark around letters that are written from right to left.
_LEFT_TO_RIGHT = "\u200e"
# Korean syllables are left alone: names are composed (NFC), and their parts would double the table.
_SYLLABLES = range(0xAC00, 0xD7A4)
# Code points without a character: not assigned, private, surrogates.
_NO_CHARACTER = {"Cn", "Co", "Cs"}

Row = tuple[str, str, str, str]


def rows() -> Iterator[Row]:
    """Return (character, skeleton, skeleton in lower case, skeleton in upper case) of each that is not its own."""
    for character in map(chr, range(1, sys.maxunicode + 1)):  # PostgreSQL has no NUL in a text
        if unicodedata.category(character) in _NO_CHARACTER or _is_plain(character) or ord(character) in _SYLLABLES:
            continue
        row = (character, skeleton(character), skeleton(character.casefold()), skeleton(character.upper()))
        if row != (character,) * 4:
            yield row


def skeleton(text: str) -> str:
    """Return what the text looks like; texts that look alike have the same."""
    before = None
    while text != before:
        before = text
        text = "".join(_prototypes().get(character, character) for character in _decompose(text))
    return text


def _is_plain(character: str) -> bool:
    """Whether a character is its own skeleton in every case: of most that is so, and found without their skeletons."""
    return (
        character == unicodedata.normalize("NFKD", character) == character.casefold() == character.upper()
        and _is_visible(character)
        and character not in _prototypes()
    )


def _decompose(text: str) -> str:
    return "".join(filter(_is_visible, unicodedata.normalize("NFKD", text)))


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE_CATEGORIES and character not in _INVISIBLE_LETTERS


@cache
def _prototypes() -> dict[str, str]:
    """Return which text stands for a character: of all that look like it the longest, then the first.

    The library says what looks like what, in both directions, and not which of the two stands for the other.
    """
    alike: defaultdict[str, set[str]] = defaultdict(set)
    for source, others in confusables_data.items():
        for other in others:
            pair = source.strip(_LEFT_TO_RIGHT), other["c"].strip(_LEFT_TO_RIGHT)
            alike[pair[0]].add(pair[1])
            alike[pair[1]].add(pair[0])
    found: dict[str, str] = {}
    for text in alike:
        if text not in found:
            group = _reachable(alike, text)
            found |= dict.fromkeys(group, min(group, key=lambda text: (-len(text), text)))
    return found


def _reachable(alike: dict[str, set[str]], start: str) -> set[str]:
    group, waiting = {start}, [start]
    while waiting:
        waiting += (new := alike[waiting.pop()] - group)
        group |= new
    return group
