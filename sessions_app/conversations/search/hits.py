"""What session.search answers: a user's own messages that hold a text, the newest first.

What a query holds is always literal text, compared as ``sessions_app.conversations.search.folding`` says.
"""

from __future__ import annotations

from uuid import UUID

from sessions_app.conversations import access
from sessions_app.conversations.schemas import Shape
from sessions_app.conversations.search import index
from sessions_app.conversations.search.folding import find, fold
from sessions_app.llm.content.unicode import clean
from sessions_app.models import ChatSession, Message

QUERY_LENGTH = 200
SNIPPET_LENGTH = 120


class HitShape(Shape):
    """A message in which the query was found; ``snippet`` is plain text around the first place.

    ``marks`` are the places in the snippet, each its start and end in characters. ``title`` is its session's.
    """

    session_id: UUID
    title: str
    message_id: UUID
    position: int
    snippet: str
    marks: list[list[int]]


def search(user_id: int, query: str, limit: int, session_id: UUID | None = None) -> list[HitShape]:
    """Return the user's messages that hold ``query``, at most ``limit``, the newest first; of a session, if given.

    None holds the empty text, or what cannot be stored. Raises NotFound.
    """
    if session_id is not None:
        access.chat_session(user_id, session_id)
    if not query or clean(query) != query:
        return []
    folded = fold(query)
    found = Message.objects.in_bulk(index.newest(user_id, folded, limit, session_id))
    sessions = ChatSession.objects.filter(pk__in={message.chat_session_id for message in found.values()})
    titles = dict(sessions.values_list("pk", "title"))
    return [
        _hit(message, titles[message.chat_session_id], folded) for _, message in sorted(found.items(), reverse=True)
    ]


def _hit(message: Message, title: str, folded: str) -> HitShape:
    shown = snippet(message.text, find(message.text, folded) or (0, 0))
    return HitShape(
        session_id=message.chat_session_id,
        title=title,
        message_id=message.public_id,
        position=message.position,
        snippet=shown,
        marks=marks(shown, folded),
    )


def marks(text: str, folded: str) -> list[list[int]]:
    """Return where a text holds a folded query, from left to right, no two of them overlapping."""
    found: list[list[int]] = []
    start = 0
    while (span := find(text[start:], folded)) is not None and span[1] > span[0]:
        found.append([start + span[0], start + span[1]])
        start += span[1]
    return found


def snippet(text: str, span: tuple[int, int]) -> str:
    """Return about SNIPPET_LENGTH characters of ``text`` around ``span``, and all of that."""
    start, end = span
    around = max(0, SNIPPET_LENGTH - (end - start)) // 2
    first = max(0, min(start - around, len(text) - SNIPPET_LENGTH))
    last = max(end, first + SNIPPET_LENGTH)
    return f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"
