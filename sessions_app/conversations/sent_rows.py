"""The rows that a session's requests are made of: its line, but for what a summary stands in the place of.

The latest summary is found by an index of its own, and what it covers is not read: a long conversation that was
summarised costs what a short one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.db.models import QuerySet

from sessions_app.conversations import branches
from sessions_app.conversations.branches import Segment
from sessions_app.conversations.documents import with_documents
from sessions_app.database import plain
from sessions_app.llm.content.codec import decode
from sessions_app.llm.content.parts import Summary
from sessions_app.llm.content.rows import Row
from sessions_app.llm.content.summaries import end_of, sent_of, summary_of
from sessions_app.models import ChatSession, Message, MessageKind

_COLUMNS = ("role", "text", "parts", "status", "position")
# Of one segment.
_LAST_SUMMARY = """
SELECT id FROM (
  SELECT id FROM sessions_app_message
  WHERE branch_id = %s AND chat_session_id = %s AND kind = 'summary' AND position >= %s AND position < %s
  ORDER BY position DESC LIMIT 1
) AS segment
"""


def row_of(message: Message) -> Row:
    """Return what the history needs to know of a stored message. Raises ContentError."""
    return with_documents([_plain_row(message)])[0]


def _plain_row(message: Message) -> Row:
    return _row(message.role, message.text, message.parts, message.status, message.position)


def _row(role: object, text: object, parts: object, status: object, position: object) -> Row:
    # The database constrains role and status to the words that the row's type names.
    return Row(cast(Any, role), cast(str, text), decode(parts), cast(Any, status), cast(int, position))


def read(chat_session: ChatSession) -> list[Row]:
    """Return the rows of the active line that are sent, in the order in which they are.

    Raises ContentError where one holds what this release does not know.
    """
    summary = latest_summary(chat_session)
    covered = covered_by(summary) if summary else None
    if summary is None or covered is None or not covered.before:
        return _sent(_rows(chat_session, 0))
    end = end_of(covered, summary.position)
    rows = [*_asked(chat_session, covered, end), *_rows(chat_session, end)]
    latest = next(row for row in reversed(rows) if summary_of(row))
    # Another program may have taken the kind from a later one, which may cover less.
    return _sent(rows if latest.position == summary.position else _rows(chat_session, 0))


def _sent(line: Iterable[Row]) -> list[Row]:
    """Return the rows of a line that are sent, with what their documents say."""
    return with_documents(sent_of(line))


def _rows(chat_session: ChatSession, start: int) -> Iterator[Row]:
    # Without model objects, which take four times as long.
    return (_row(*columns) for columns in branches.values(chat_session, *_COLUMNS, start=start))


def _asked(chat_session: ChatSession, covered: Summary, end: int) -> list[Row]:
    """Return the message that is sent although it is covered, as all before ``end`` is."""
    if covered.asked is None or covered.asked >= end:
        return []
    found, _ = branches.following(chat_session, 1, after=covered.asked - 1)
    return [_plain_row(message) for message in found if message.position == covered.asked]


def covered_by(summary: Message) -> Summary | None:
    """Return which rows a summary stands in the place of; None where another program has taken that from it."""
    return summary_of(_plain_row(summary))


def latest_summary(chat_session: ChatSession) -> Message | None:
    """Return the active line's latest summary."""
    for segments in branches.growing(branches.line(chat_session)):
        if (found := _summaries(segments).order_by("-position").first()) is not None:
            return found
    return None


def _summaries(segments: list[Segment]) -> QuerySet[Message]:
    """Return the last summary of each of these segments, at least."""
    if len(segments) == 1:
        return segments[0].messages().filter(kind=MessageKind.SUMMARY)
    places = [value for each in segments for value in (each.branch_id, each.session_id, each.start, each.end)]
    found = plain.rows(" UNION ALL ".join([_LAST_SUMMARY] * len(segments)), places)
    return Message.objects.filter(pk__in=[pk for (pk,) in found])
