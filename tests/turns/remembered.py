"""Changes of a user's memory, and what a request tells the model of it."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

from sessions_app import database
from sessions_app.conversations import memory as stored
from sessions_app.conversations.memory_schemas import MemoryShape
from sessions_app.llm.content import memory as wording
from sessions_app.models import AgentProfile, ChatSession, Memory, Message
from sessions_app.session_store import chats, memory
from tests.turns.host import Host


async def remember(host: Host, text: str) -> MemoryShape:
    return await database.write(memory.add, host.user_id, text)


async def forget(host: Host, memory_shape: MemoryShape) -> None:
    await database.write(memory.delete, host.user_id, memory_shape.id)


async def switch(host: Host, enabled: bool) -> None:
    await database.write(memory.switch, host.user_id, enabled)


async def switch_chat(host: Host, chat: UUID, enabled: bool) -> None:
    await database.write(chats.update, host.user_id, chat, {"memory": enabled})


async def switch_profiles(enabled: bool) -> None:
    await database.write(lambda: AgentProfile.objects.update(memory=enabled))


MEMORY_CHANGES = ["add", "add", "add", "edit", "delete", "switch", "switch the chat", "switch the profile"]


def change_memory(change: str, user_id: int, session_id: UUID) -> None:
    """Change a user's memory in one of these ways, where there is something to change."""
    memories = list(Memory.objects.filter(owner=user_id).order_by("id"))
    match change:
        case "add":
            memory.add(user_id, f"memory {len(memories)} äöü")
        case "edit" if memories:
            memory.update(user_id, memories[-1].public_id, f"{memories[-1].text} <edited>")
        case "delete" if memories:
            memory.delete(user_id, memories[0].public_id)
        case "switch":
            memory.switch(user_id, not stored.is_enabled(user_id))
        case "switch the chat":
            chats.update(user_id, session_id, {"memory": not ChatSession.objects.get(pk=session_id).memory})
        case "switch the profile":
            AgentProfile.objects.update(memory=not AgentProfile.objects.get().memory)


def memories_in_effect(session_id: UUID) -> list[str]:
    """The memories that a session's model is to be told."""
    chat_session = ChatSession.objects.select_related("profile").get(pk=session_id)
    memories = Memory.objects.filter(owner=chat_session.owner_id).order_by("id").values_list("text", flat=True)
    profile = chat_session.profile
    is_on = chat_session.memory and profile is not None and profile.memory and stored.is_enabled(chat_session.owner_id)
    return list(memories) if is_on else []


async def notes(chat: UUID) -> list[str]:
    """The texts of all notes of a session, of all its lines, in the order in which they were written."""
    rows = Message.objects.filter(chat_session=chat, kind="note").order_by("pk").values_list("text", flat=True)
    return await database.read(lambda: list(rows))


def told_by(body: bytes) -> list[str]:
    """The memories that a request tells the model last."""
    told: list[str] = []
    for text in _texts(json.loads(body)):
        if text.endswith((wording.OFF, wording.EMPTY)):
            told = []
        elif (found := re.search(r"<memory>\n(.*)\n</memory>$", text, re.DOTALL)) is not None:
            told = [json.loads(line) for line in found.group(1).split("\n")]
    return told


def _texts(body: Any) -> list[str]:
    """All texts of a request in which memories may be told, in their order: the system prompt, then what users said."""
    system = body.get("system") or body.get("instructions") or []
    return [*_strings(system), *_strings(body.get("messages") or body.get("input") or [])]


def _strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in _strings(item)]
        case dict():
            return [text for key in ("text", "content") for text in _strings(value.get(key))]
    return []
