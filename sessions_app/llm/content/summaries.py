"""Summaries and notes: rows that no person has said, sent in the user's place.

A summary stands in the place of what came before. It is a row like any other, at the end of its line when it was made,
and nothing of what it sums up is changed or removed: that is only no longer sent. So a line's prompt is the frozen
prefix, the latest summary, and the rows that it does not cover. A branch that begins before a summary does not have it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from sessions_app.llm.content.parts import Note, Summary, ToolCall, reasoning_of, tool_calls
from sessions_app.llm.content.rows import Row

SUMMARY = "The earlier part of this conversation is not shown any more. This is a summary of it:"
SUMMARY_OF_STEPS = f"{SUMMARY[:-1]}, and of what you have done so far for the user's last message, which follows it:"
"""What stands before a summary; the second where the steps of a turn under way were summarised."""

INSTRUCTION = (
    "This is a message of the program that you run in, not of the user. The conversation is about to become too long. "
    "Write a summary of all of it, which will stand in its place: you will go on from the summary alone. Keep what is "
    "still needed: what the user wants and has said of themselves, facts, names, numbers, decisions, code and texts "
    "that are being worked on, results of tools, what is done and what is open. Leave out what has become void. Write "
    "it in the language of the conversation, as plain notes. Call no tool, and answer with the summary and nothing "
    "else."
)
"""What a summary is asked for with: the next message of the conversation, so that all before it is in the cache."""


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
    before = end_of(summary, latest.position)
    asked = [row for row in rows if row.position == summary.asked and row.position < before]
    return [latest, *asked, *(row for row in rows if row.position >= before and not summary_of(row))]


def end_of(summary: Summary, position: int) -> int:
    """The first position that a summary does not cover, where it stands at `position` itself.

    It knows of nothing behind itself, whatever it says: another program may have moved the rows of its line.
    """
    return min(summary.before, position)


def shortened(row: Row, longest: int) -> Row:
    """The row with the middle of its text, and of its calls' arguments, left out where one has more characters.

    What else belongs to an answer, thoughts among it, belongs to the whole of it, and goes with what is left out.
    """
    calls = tool_calls(row.parts)
    texts = (row.text, reasoning_of(row.parts), *(call.arguments for call in calls))
    if max(map(len, texts)) <= longest:
        return row
    text = _without_middle(row.text, longest)
    if row.role != "assistant":
        return replace(row, text=text)
    return replace(row, text=text, parts=tuple(_shortened_call(call, longest) for call in calls))


def _shortened_call(call: ToolCall, longest: int) -> ToolCall:
    """The call alone; its arguments, where they are cut, as the one text of an object: some providers take no other."""
    call = replace(call, item=None, details=None)
    if len(call.arguments) <= longest:
        return call
    return replace(call, arguments=json.dumps({"shortened": _without_middle(call.arguments, longest)}))


def _without_middle(text: str, longest: int) -> str:
    left_out = len(text) - longest
    if left_out <= 0:
        return text
    half = longest // 2
    return f"{text[:half]}\n[{left_out} characters left out]\n{text[len(text) - half :]}"
