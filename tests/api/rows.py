"""Rows that tests write straight into the database, each call one transaction in a database thread."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sessions_app import database
from sessions_app.models import ChatSession, Message, Turn


def _say(session_id: str, texts: tuple[str, ...], role: str) -> list[str]:
    chat_session = ChatSession.objects.select_related("stamp").get(pk=session_id)
    start = chat_session.stamp.message_count
    return [
        str(
            Message.objects.create(
                owner_id=chat_session.owner_id,
                chat_session=chat_session,
                branch_id=chat_session.active_branch_id,
                position=start + offset,
                role=role,
                text=text,
            ).public_id
        )
        for offset, text in enumerate(texts)
    ]


async def say(session_id: str, *texts: str, role: str = "user") -> list[str]:
    """Append messages to a session and return their ids."""
    return await database.write(_say, session_id, texts, role)


def _change(session_id: str, fields: dict[str, Any]) -> None:
    ChatSession.objects.filter(pk=session_id).update(**fields)


async def change(session_id: str, **fields: Any) -> None:
    """Set columns of a session."""
    await database.write(_change, session_id, fields)


def _everything() -> dict[str, list[Any]]:
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in (ChatSession, Message, Turn)}


async def everything() -> dict[str, list[Any]]:
    """Return all sessions, messages and turns, to tell whether anything has changed."""
    return await database.read(_everything)


async def turn_texts(session_id: str) -> list[str]:
    """Return the texts of a session's turns, in the order in which they were asked for."""
    return await database.read(
        lambda: list(Turn.objects.filter(chat_session=UUID(session_id)).order_by("pk").values_list("text", flat=True))
    )
