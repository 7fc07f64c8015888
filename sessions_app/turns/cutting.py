"""Choose what of a transcript is summarised: the longest beginning that fits in one request, or a summary once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessions_app.llm.cached_transcript import CachedTranscript
from sessions_app.llm.content.parts import Summary

Place = tuple[int, int]
"""A position at which a transcript can be divided, and the bytes of the prompt before it."""

FEWEST_CHARACTERS = 200
"""Of a text that is shortened because it is too large to be summarised."""

SHORTENED_SHARE = 8
"""Of what fits in a request, each text that is shortened may have this part."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a transcript is divided: what comes before ``position`` (None: all) is summarised.

    ``longest`` are the characters that its texts are shortened to, None where they fit as they are.
    """

    position: int | None
    summary: Summary
    longest: int | None = None


def longest_beginning(
    transcript: CachedTranscript, budget: int | None, asked: int | None, first: int | None
) -> Cut | None:
    """Return where to divide a transcript; None where there is nothing to summarise.

    ``budget`` are the bytes that fit in a request, None where nobody knows. ``asked`` is the position of the message
    that is answered, and ``first`` that of the first row of its turn; both are None where the whole is to be
    summarised. What came before them goes first; where nothing did, the turn's own earlier steps.
    """
    # At least one row, besides a summary that it begins with.
    places = transcript.places()[2 if transcript.summary else 1 :]
    before = [place for place in places if first is not None and place[0] <= first]
    own = [place for place in places if place not in before]
    if (asked is None and transcript.end) or (own and not before):
        before = [*own, (transcript.end, transcript.length)]
    return _longest(before, budget, asked, transcript.end)


def _longest(places: Sequence[Place], budget: int | None, asked: int | None, end: int) -> Cut | None:
    if not places:
        return None
    fitting = [place for place in places if budget is None or place[1] <= budget]
    position = fitting[-1][0] if fitting else places[0][0]
    is_covered = asked is not None and position > asked
    longest = None if fitting or budget is None else _shortest(budget)
    return Cut(None if position == end else position, Summary(position, asked if is_covered else None), longest)


def _shortest(budget: int) -> int:
    return max(FEWEST_CHARACTERS, budget // SHORTENED_SHARE)


def summarised_again(transcript: CachedTranscript, budget: int | None) -> Cut | None:
    """Return the summary that a prompt begins with, where it alone is too large: it was made for a larger window."""
    covered, places = transcript.covered, transcript.places()
    if covered is None or budget is None or len(places) < 2:
        return None
    (_, start), (position, end), *_ = places
    longest = _shortest(budget)
    return Cut(position, covered, longest) if end > budget and end - start > 2 * longest else None
