"""What another program does to a session: raw SQL, on SQLite."""

from __future__ import annotations

from tests.databases import Database
from tests.engine.ideal import key

_APPEND = """
INSERT INTO sessions_app_message (public_id, owner_id, chat_session_id, branch_id, position, role, text)
SELECT lower(hex(randomblob(16))), owner_id, chat_session_id, branch_id, position + 1, 'user', 'by raw SQL äöü'
FROM sessions_app_message WHERE chat_session_id = %s ORDER BY position DESC LIMIT 1
"""
_EDIT = """
UPDATE sessions_app_message SET text = text || ' (edited)' WHERE id =
(SELECT id FROM sessions_app_message WHERE chat_session_id = %s AND role = 'user' ORDER BY position LIMIT 1 OFFSET %s)
"""


def append(database: Database, session_id: str) -> None:
    """Write a message at the end."""
    database.run(_APPEND, key(session_id))


def edit(database: Database, session_id: str, number: int) -> None:
    """Rewrite a message of the user's; 0 is the first."""
    database.run(_EDIT, key(session_id), number)
