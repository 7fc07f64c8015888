"""A chat of Open WebUI's export, as a tree.

Its export has no bytes of files: what had some is taken without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sessions_app.imports.chats import Unusable
from sessions_app.imports.trees import Node, Tree

LOST = "Its files are not in the export."


def tree_of(told: Mapping[str, Any]) -> Tree:
    """Return a chat as a tree. Raises Unusable."""
    chat = told["chat"]
    id_ = told.get("id") or chat.get("id")
    history = chat.get("history")
    messages = history.get("messages") if isinstance(history, dict) else None
    if not isinstance(messages, dict) or not isinstance(id_, str):
        raise Unusable("It is damaged.", id_ or "")
    nodes = {key: _node(key, value) for key, value in messages.items() if isinstance(value, dict)}
    has_files = any(isinstance(value, dict) and value.get("files") for value in messages.values())
    return Tree(
        id_,
        told.get("title") or chat.get("title"),
        nodes,
        history.get("currentId"),
        told.get("created_at") or _seconds(chat.get("timestamp")),
        told.get("updated_at"),
        archived=told.get("archived") is True,
        pinned=told.get("pinned") is True,
        missing=(LOST,) if has_files else (),
    )


def _node(key: str, value: Mapping[str, Any]) -> Node:
    follows = value.get("parentId") if isinstance(value.get("parentId"), str) else None
    role, text, model = value.get("role"), value.get("content"), value.get("model")
    if role not in ("user", "assistant") or not isinstance(text, str) or not text.strip():
        return Node(key, follows)
    model = model if role == "assistant" and isinstance(model, str) else None
    return Node(key, follows, role, text, value.get("timestamp"), model)


def _seconds(milliseconds: object) -> object:
    return milliseconds / 1000 if isinstance(milliseconds, int | float) else None
