"""What is shown of a message around the first place that holds a query: plain text, without Markdown."""

from __future__ import annotations

from sessions_app.conversations.plain_text import plain_text
from sessions_app.conversations.search.folding import find

SNIPPET_LENGTH = 120
_CUT_LENGTH = 600
"""Characters on each side of the place that are read as Markdown: of a long message the rest is not."""
_FENCE = "\n```"


def snippet(text: str, folded: str) -> str:
    """Return about SNIPPET_LENGTH characters of a message around the first place, and all of that.

    Without Markdown, unless the query is in what Markdown does not show: an address, the marks themselves.
    """
    span = find(text, folded) or (0, 0)
    said = _plain(text, span)
    shown = find(said, folded)
    if shown is None:
        return _around(text, span, is_cut=(False, False))
    return _around(said, shown, is_cut=(span[0] > _CUT_LENGTH, span[1] + _CUT_LENGTH < len(text)))


def _plain(text: str, span: tuple[int, int]) -> str:
    """Return the plain text around a place, cut where lines end as far as there are such."""
    first, last = max(0, span[0] - _CUT_LENGTH), min(len(text), span[1] + _CUT_LENGTH)
    if first and (line := text.find("\n", first, span[0])) >= 0:
        first = line + 1
    # Code that has begun before goes on as code.
    opened = _FENCE[1:] + "\n" if f"\n{text[:first]}".count(_FENCE) % 2 else ""
    return plain_text(opened + text[first:last])


def _around(text: str, span: tuple[int, int], *, is_cut: tuple[bool, bool]) -> str:
    start, end = span
    around = max(0, SNIPPET_LENGTH - (end - start)) // 2
    first = max(0, min(start - around, len(text) - SNIPPET_LENGTH))
    last = max(end, first + SNIPPET_LENGTH)
    before, after = first > 0 or is_cut[0], last < len(text) or is_cut[1]
    return f"{'…' if before else ''}{text[first:last]}{'…' if after else ''}"


def marks(text: str, folded: str) -> list[list[int]]:
    """Return where a text holds a folded query, from left to right, no two of them overlapping."""
    found: list[list[int]] = []
    start = 0
    while (span := find(text[start:], folded)) is not None and span[1] > span[0]:
        found.append([start + span[0], start + span[1]])
        start += span[1]
    return found
