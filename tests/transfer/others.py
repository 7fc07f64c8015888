"""Exports of other programs, as they write them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

CHAT = "7b0f2c9e-51a7-4a0e-9d51-0a2f8f1c4c11"
PICTURE = "file-AbCdEfGh12345678"


def node(
    key: str, parent: str | None, role: str = "", parts: list[Any] | None = None, **others: Any
) -> dict[str, dict[str, Any]]:
    """A node of ChatGPT's tree; without a role, one without a message."""
    if not role:
        return {key: {"id": key, "message": None, "parent": parent, "children": []}}
    content = {"content_type": others.pop("content_type", "text"), "parts": parts}
    message = {
        "id": key,
        "author": {"role": role, "name": None},
        "create_time": others.pop("at", 1_700_000_000.5),
        "content": content,
        "recipient": others.pop("recipient", "all"),
        "metadata": {"model_slug": "gpt-4o"} | others,
    }
    return {key: {"id": key, "message": message, "parent": parent, "children": []}}


def chatgpt_chat(**changed: Any) -> dict[str, Any]:
    """A chat with an edit, two answers, a call of a tool, and a picture."""
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": f"file-service://{PICTURE}"}
    mapping = {
        **node("root", None),
        **node("system", "root", "system", [""], is_visually_hidden_from_conversation=True),
        **node("first", "system", "user", ["Look", pointer], content_type="multimodal_text", at=1_700_000_001),
        **node("edited", "system", "user", ["Look again"], at=1_700_000_005),
        **node("answer", "first", "assistant", ["A view"], at=1_700_000_002),
        **node("thought", "edited", "assistant", None, content_type="thoughts"),
        **node("call", "thought", "assistant", ["print(1)"], content_type="code", recipient="python"),
        **node("result", "call", "tool", ["1"]),
        **node("old", "result", "assistant", ["One"], at=1_700_000_006),
        **node("new", "result", "assistant", ["It is *one*"], at=1_700_000_007),
        **node("thanks", "old", "user", ["Thanks"], at=1_700_000_008),
    }
    return {
        "conversation_id": CHAT,
        "title": "A view \ud83d",
        "create_time": 1_700_000_000.0,
        "update_time": 1_700_000_010.0,
        "current_node": "thanks",
        "is_archived": True,
        "mapping": mapping,
    } | changed


def chatgpt_archive(chats: list[Any], picture: bytes) -> bytes:
    """Its archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("chat.html", "<html>")
        archive.writestr("user.json", "{}")
        archive.writestr("conversations.json", json.dumps(chats))
        archive.writestr(f"{PICTURE}-view.png", picture)
    return file.getvalue()


def open_webui_chat() -> dict[str, Any]:
    """A chat with two answers, the second of which is shown."""
    messages = {
        "q": {"id": "q", "parentId": None, "role": "user", "content": "Hello", "timestamp": 1_700_000_000},
        "a": {
            "id": "a",
            "parentId": "q",
            "role": "assistant",
            "content": "Hi",
            "timestamp": 1_700_000_001,
            "model": "m",
        },
        "b": {"id": "b", "parentId": "q", "role": "assistant", "content": "Hello!", "timestamp": 1_700_000_002},
        "e": {"id": "e", "parentId": "b", "role": "assistant", "content": "", "timestamp": 1_700_000_003},
    }
    chat = {"title": "Greeting", "history": {"messages": messages, "currentId": "b"}, "timestamp": 1_700_000_000_000}
    return {"id": "not-a-uuid", "user_id": "u", "title": "Greeting", "chat": chat, "pinned": True}
