"""Change what a user wants to be remembered: add, edit and delete memories, and switch all of them.

Each change is one transaction under the user's lock, which the start of a turn and of a session take as well: they see
the memory as it was before a change, or as it is after it, and never half of it.
"""

from __future__ import annotations

from uuid import UUID

from sessions_app.conversations import access
from sessions_app.conversations import memory as stored
from sessions_app.conversations.memory_schemas import MemoriesShape, MemoryShape
from sessions_app.errors import NotFound, TooMany
from sessions_app.journal import Fact, record
from sessions_app.llm.content.memory import digest_of, one_line
from sessions_app.models import FactName, Memory, UserMemory

MAX_MEMORIES = 100
MAX_CHARACTERS = 10_000
"""Of all memories of one user: some 2,500 tokens of every prompt."""


def add(user_id: int, text: str) -> MemoryShape:
    """Add a memory; one that is there already stays as it is. Raises TooMany."""
    access.require_user(user_id)
    text = one_line(text)
    known = Memory.objects.filter(owner=user_id, text=text).first()
    if known is not None:
        return stored.memory_shape(known)
    _admit(stored.read(user_id).memories, text)
    memory = Memory.objects.create(owner_id=user_id, text=text)
    memory.refresh_from_db(fields=["created_at"])
    _tell(user_id)
    return stored.memory_shape(memory)


def update(user_id: int, memory_id: UUID, text: str) -> MemoryShape:
    """Put a text in the place of a memory's. Raises NotFound, TooMany."""
    access.require_user(user_id)
    memory, text = _own(user_id, memory_id), one_line(text)
    if text != memory.text:
        others = Memory.objects.filter(owner=user_id).exclude(pk=memory.pk).values_list("text", flat=True)
        _admit(tuple(others), text)
        memory.text = text
        memory.save(update_fields=["text"])
        _tell(user_id)
    return stored.memory_shape(memory)


def delete(user_id: int, memory_id: UUID) -> None:
    """Delete a memory. Raises NotFound."""
    access.require_user(user_id)
    _own(user_id, memory_id).delete()
    _tell(user_id)


def switch(user_id: int, enabled: bool) -> MemoriesShape:
    """Have the memories told to models, or not: they are kept."""
    access.require_user(user_id)
    if stored.is_enabled(user_id) != enabled:
        UserMemory.objects.update_or_create(owner_id=user_id, defaults={"enabled": enabled})
        _tell(user_id)
    return stored.memories_shape(user_id)


def _own(user_id: int, memory_id: UUID) -> Memory:
    try:
        return Memory.objects.get(owner=user_id, public_id=memory_id)
    except Memory.DoesNotExist:
        raise NotFound from None


def _admit(others: tuple[str, ...], text: str) -> None:
    """Refuse a text beside others for which there is no room. Raises TooMany."""
    if len(others) >= MAX_MEMORIES:
        raise TooMany(
            f"{len(others)} memories are kept, and {MAX_MEMORIES} are allowed. Delete one that you no longer need.",
            quota="memories",
            used=len(others),
            limit=MAX_MEMORIES,
        )
    used = sum(map(len, others))
    if used + len(text) > MAX_CHARACTERS:
        raise TooMany(
            f"Your memories hold {used:,} characters, and {MAX_CHARACTERS:,} are allowed. Shorten or delete some.",
            quota="memory_text",
            used=used,
            limit=MAX_CHARACTERS,
        )


def _tell(user_id: int) -> None:
    """Write what models are told by now, and tell clients that it has changed."""
    digest = digest_of(stored.read(user_id).told)
    UserMemory.objects.update_or_create(owner_id=user_id, defaults={"digest": digest})
    record(Fact(user_id, FactName.MEMORY_UPDATED, None, value=stored.change_shape(user_id)))
