"""Find text in a user's own messages: any substring, upper and lower case alike, newest first.

The database keeps the index (``sessions_app.database.triggers``): trigrams, so that substrings
and scripts without spaces are found. What a query holds is always literal text. A query of one
or two characters is too short for SQLite's index; SQLite then reads the user's messages, the
newest first, only until enough are found (at worst 15 µs a message of 150 words, in a thread
and without Python's lock).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from uuid import UUID

from django.db import connection

from sessions_app.models import ChatSession, Message
from sessions_app.shapes import Shape

QUERY_LENGTH = 200
SNIPPET_LENGTH = 120
_TRIGRAM = 3

_COLUMNS = "message.id, message.chat_session_id, message.public_id, message.position, message.text"

# All walk from the newest message to older ones, and stop at the limit.
_FTS5 = f"""
SELECT {_COLUMNS} FROM hermes_message_search AS found
JOIN sessions_app_message AS message ON message.id = found.rowid
WHERE found.text MATCH %s AND message.owner_id = %s
ORDER BY found.rowid DESC LIMIT %s
"""  # noqa: S608  # constants of this module
_INSTR = f"""
SELECT {_COLUMNS} FROM sessions_app_message AS message
WHERE message.owner_id = %s AND ({{anywhere}})
ORDER BY message.id DESC LIMIT %s
"""  # noqa: S608  # constants of this module
_ILIKE = f"""
SELECT {_COLUMNS} FROM sessions_app_message AS message
WHERE message.text ILIKE %s AND message.owner_id = %s
ORDER BY message.id DESC LIMIT %s
"""  # noqa: S608  # constants of this module


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
    """Return the user's messages that hold ``query``, at most ``limit``, the newest first."""
    pattern = re.compile(re.escape(query), re.IGNORECASE)
    found = list(_found(user_id, query, pattern, limit))
    sessions = ChatSession.objects.filter(pk__in={message.chat_session_id for message in found})
    titles = dict(sessions.values_list("pk", "title"))
    return [
        HitShape(
            session_id=message.chat_session_id,
            title=titles[message.chat_session_id],
            message_id=message.public_id,
            position=message.position,
            snippet=snippet(message.text, pattern),
        )
        for message in found
    ]


def _found(user_id: int, query: str, pattern: re.Pattern[str], limit: int) -> Iterable[Message]:
    if connection.vendor == "postgresql":
        like = re.sub(r"([\\%_])", r"\\\1", query)
        return Message.objects.raw(_ILIKE, [f"%{like}%", user_id, limit])
    if len(query) >= _TRIGRAM:
        phrase = query.replace('"', '""')
        return Message.objects.raw(_FTS5, [f'"{phrase}"', user_id, limit])
    spellings = _spellings(query)
    anywhere = " OR ".join(["instr(message.text, %s)"] * len(spellings))
    return Message.objects.raw(_INSTR.format(anywhere=anywhere), [user_id, *spellings, limit])


def _spellings(query: str) -> list[str]:
    """Return a short query in all mixtures of upper and lower case: SQLite folds only ASCII."""
    cases = ({character, character.lower(), character.upper()} for character in query)
    return sorted({"".join(letters) for letters in product(*cases)})


def snippet(text: str, pattern: re.Pattern[str]) -> str:
    """Return about SNIPPET_LENGTH characters of ``text`` with the first match amid them.

    Databases fold a few letters that Python does not (``ẞ`` and ``ß``); such a hit is shown by
    the beginning of its text.
    """
    match = pattern.search(text)
    start, end = match.span() if match else (0, 0)
    around = max(0, SNIPPET_LENGTH - (end - start)) // 2
    first = max(0, min(start - around, len(text) - SNIPPET_LENGTH))
    last = max(end, first + SNIPPET_LENGTH)
    return f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"
