"""What session.search answers: a user's own messages that hold a text, the best first.

What a query holds is always literal text, compared as ``sessions_app.conversations.search.folding`` says.
"""

from __future__ import annotations

from uuid import UUID

from sessions_app.conversations import access
from sessions_app.conversations.search.finding import newest
from sessions_app.conversations.search.folding import fold
from sessions_app.conversations.search.ranking import best
from sessions_app.conversations.search.snippets import marks, snippet
from sessions_app.conversations.shape import Shape
from sessions_app.llm.content.unicode import clean
from sessions_app.models import ChatSession, Message

QUERY_LENGTH = 200
CANDIDATES = 200


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
    """Return the user's messages that hold ``query``, at most ``limit``, the best first; of a session, if given.

    They are picked among the newest CANDIDATES, so a search costs little more where many hold it. None holds the empty
    text, or what cannot be stored. Raises NotFound.
    """
    if session_id is not None:
        access.chat_session(user_id, session_id)
    if not query or clean(query) != query:
        return []
    folded = fold(query)
    picked = best(newest(user_id, folded, max(limit, CANDIDATES), session_id), folded, limit)
    found = Message.objects.in_bulk(picked)
    sessions = ChatSession.objects.filter(pk__in={message.chat_session_id for message in found.values()})
    titles = dict(sessions.values_list("pk", "title"))
    return [_hit(found[pk], titles[found[pk].chat_session_id], folded) for pk in picked if pk in found]


def _hit(message: Message, title: str, folded: str) -> HitShape:
    shown = snippet(message.text, folded)
    return HitShape(
        session_id=message.chat_session_id,
        title=title,
        message_id=message.public_id,
        position=message.position,
        snippet=shown,
        marks=marks(shown, folded),
    )
