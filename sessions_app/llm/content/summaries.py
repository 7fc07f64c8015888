"""Summaries and notes: rows that no person has said, sent in the user's place.

A summary stands in the place of what came before. It is a row like any other, at the end of its line when it was made,
and nothing of what it sums up is changed or removed: that is only no longer sent. So a line's prompt is the frozen
prefix, the latest summary, and the rows that it does not cover. A branch that begins before a summary does not have it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sessions_app.llm.content.parts import Note, Summary
from sessions_app.llm.content.rows import Row

SUMMARY = "The earlier part of this conversation is not shown any more. This is a summary of it:"
SUMMARY_OF_STEPS = f"{SUMMARY[:-1]}, and of what you have done so far for the user's last message, which follows it:"
"""What stands before a summary; the second where the steps of a turn under way were summarised."""


def summary_of(row: Row) -> Summary | None:
    """What a row sums up, if it is a summary."""
    return next((part for part in row.parts if isinstance(part, Summary)), None)


def is_note(row: Row) -> bool:
    """Whether a row is a note of the host."""
    return any(isinstance(part, Note) for part in row.parts)


def said_of(row: Row) -> str:
    """What the model is sent of a row in the user's place."""
    if (summary := summary_of(row)) is None:
        return row.text
    heading = SUMMARY if summary.asked is None else SUMMARY_OF_STEPS
    return f"{heading}\n\n<summary>\n{row.text}\n</summary>"


def sent_of(line: Iterable[Row]) -> list[Row]:
    """The rows of a whole line that are sent, in the order in which they are."""
    rows = list(line)
    latest = next((row for row in reversed(rows) if summary_of(row)), None)
    summary = summary_of(latest) if latest else None
    if latest is None or summary is None or not summary.before:
        return [row for row in rows if not summary_of(row)]
    asked = [row for row in rows if row.position == summary.asked and row.position < summary.before]
    return [latest, *asked, *(row for row in rows if row.position >= summary.before and not summary_of(row))]
