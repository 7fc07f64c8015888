"""Which of the messages that hold a query are the best: those that hold it as whole words, then as words' beginnings.

Of equal ones the newest comes first. A message is judged by its folded text around the first place (``finding``).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from sessions_app.conversations.search.finding import AROUND, Found
from sessions_app.conversations.search.folding import joins


class Fit(IntEnum):
    """How well a text holds a query."""

    WITHIN = 0
    BEGINNING = 1
    WHOLE = 2


def best(found: Found, folded: str, limit: int) -> list[int]:
    """Return the ids of the best messages, at most ``limit``."""
    return sorted(found, key=lambda message_id: (fit(found[message_id], folded), message_id), reverse=True)[:limit]


def fit(around: str, folded: str) -> Fit:
    """Return the best way in which a text around a query's first place holds it."""
    best_yet = Fit.WITHIN
    for start in _places(around, folded):
        end = start + len(folded)
        if not _parts_words(around, start):
            continue
        best_yet = Fit.BEGINNING
        # What follows is not known where the text was cut.
        if _parts_words(around, end) and (end < len(around) or len(around) < AROUND):
            return Fit.WHOLE
    return best_yet


def _places(text: str, part: str) -> Iterator[int]:
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)


def _parts_words(text: str, place: int) -> bool:
    """Tell whether no word goes on over a place."""
    return not 0 < place < len(text) or not (_is_of_word(text[place - 1]) and _is_of_word(text[place]))


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_" or joins(character)
