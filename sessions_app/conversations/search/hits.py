"""What session.search answers: a user's own messages that hold a text, the newest first.

What a query holds is always literal text, compared as ``sessions_app.conversations.search.folding`` says.
"""

from __future__ import annotations

from uuid import UUID

from sessions_app.conversations.schemas import Shape
from sessions_app.conversations.search import index
from sessions_app.conversations.search.folding import find, fold
from sessions_app.llm.content.unicode import clean
from sessions_app.models import ChatSession, Message

QUERY_LENGTH = 200
SNIPPET_LENGTH = 120


class HitShape(Shape):
    """A message in which the query was found; ``snippet`` is plain text around the first place.

    ``title`` is its session's.
    """

    session_id: UUID
    title: str
    message_id: UUID
    position: int
    snippet: str


def search(user_id: int, query: str, limit: int) -> list[HitShape]:
    """Return the user's messages that hold ``query``, at most ``limit``, the newest first.

    None holds the empty text, or what cannot be stored.
    """
    if not query or clean(query) != query:
        return []
    folded = fold(query)
    found = Message.objects.in_bulk(index.newest(user_id, folded, limit))
    sessions = ChatSession.objects.filter(pk__in={message.chat_session_id for message in found.values()})
    titles = dict(sessions.values_list("pk", "title"))
    return [
        HitShape(
            session_id=message.chat_session_id,
            title=titles[message.chat_session_id],
            message_id=message.public_id,
            position=message.position,
            snippet=snippet(message.text, find(message.text, folded) or (0, 0)),
        )
        for _, message in sorted(found.items(), reverse=True)
    ]


def snippet(text: str, span: tuple[int, int]) -> str:
    """Return about SNIPPET_LENGTH characters of ``text`` around ``span``, and all of that."""
    start, end = span
    around = max(0, SNIPPET_LENGTH - (end - start)) // 2
    first = max(0, min(start - around, len(text) - SNIPPET_LENGTH))
    last = max(end, first + SNIPPET_LENGTH)
    return f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"
