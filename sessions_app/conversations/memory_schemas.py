"""The shapes on the wire of what a user wants to be known in all their chats."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sessions_app.conversations.shape import Shape


class MemoryShape(Shape):
    """One thing that a user wants to be known in all their chats."""

    id: UUID
    text: str
    created_at: datetime


class MemoriesShape(Shape):
    """All that a user wants to be known, oldest first, and whether it is told to models at all."""

    enabled: bool
    memories: list[MemoryShape]


class MemoryChangeShape(Shape):
    """A user's memory has changed: whether it is told at all, and how many memories there are."""

    enabled: bool
    count: int
