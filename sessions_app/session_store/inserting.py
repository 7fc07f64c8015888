"""Store a new session with its first branch: the two name each other."""

from __future__ import annotations

import uuid
from typing import Any

from sessions_app.models import Branch, ChatSession


def insert_session(owner_id: int, **columns: Any) -> ChatSession:
    """Store a session of a user with an empty line. In one transaction: foreign keys are checked at commit."""
    chat_session = ChatSession(owner_id=owner_id, active_branch_id=uuid.uuid4(), **columns)
    chat_session.save(force_insert=True)
    Branch(pk=chat_session.active_branch_id, chat_session=chat_session).save(force_insert=True)
    return chat_session
