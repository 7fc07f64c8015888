"""A chat of ChatGPT's export (`conversations.json`), as a tree.

Taken are what users said and what was answered to them, with pictures and files where the archive has them. Hidden
messages, system prompts, thoughts and calls of tools are left out.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from typing import Any, cast

from django.utils import timezone

from sessions_app.imports.chats import Unusable
from sessions_app.imports.trees import Node, Tree, clean, named_id
from sessions_app.transfer.shapes import KeptFileRecord

_POINTER = re.compile(r"^(?:file-service|sediment)://(file[-_][\w-]{1,100})")
_FILE = re.compile(r"(?:^|/)(file[-_][A-Za-z0-9]{8,100})(?=[-.]|$)")
_TEXTS = ("text", "multimodal_text")
LEFT_OUT = "Calls of tools and thoughts were left out."
LOST = "A picture or file of it is not in the export."


def file_names(names: list[str]) -> dict[str, str]:
    """Return the members of an archive that are files of chats, by the ids that chats name them by."""
    return {found[1]: name for name in names if (found := _FILE.search(name))}


def tree_of(told: Mapping[str, Any], members: Mapping[str, str]) -> Tree:
    """Return a conversation as a tree; ``members`` are the files that the archive has. Raises Unusable."""
    mapping = told["mapping"]
    id_ = told.get("conversation_id") or told.get("id")
    if not isinstance(mapping, dict) or not isinstance(id_, str):
        raise Unusable("It is damaged.", id_ or "")
    reader = _Reader(members)
    nodes = {key: reader.node(key, value) for key, value in mapping.items() if isinstance(value, dict)}
    return Tree(
        id_,
        told.get("title"),
        nodes,
        told.get("current_node"),
        told.get("create_time"),
        told.get("update_time"),
        archived=told.get("is_archived") is True,
        pinned=told.get("is_starred") is True,
        missing=tuple(dict.fromkeys(reader.missing)),
    )


class _Reader:
    """Reads the nodes of one chat; ``missing`` says what of them could not be taken."""

    def __init__(self, members: Mapping[str, str]) -> None:
        self.missing: list[str] = []
        self._members = members

    def node(self, key: str, value: dict[str, Any]) -> Node:
        follows = value.get("parent") if isinstance(value.get("parent"), str) else None
        message = value.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        author = message.get("author") if isinstance(message, dict) else None
        if not isinstance(content, dict) or not isinstance(author, dict):
            return Node(key, follows)
        message = cast(dict[str, Any], message)
        told = message.get("metadata")
        details: dict[str, Any] = told if isinstance(told, dict) else {}
        role = author.get("role")
        if role not in ("user", "assistant") or details.get("is_visually_hidden_from_conversation") is True:
            return Node(key, follows)
        if content.get("content_type") not in _TEXTS or message.get("recipient", "all") != "all":
            self.missing.append(LEFT_OUT)
            return Node(key, follows)
        parts = content.get("parts")
        pieces = parts if isinstance(parts, list) else []
        text = "\n\n".join(piece for piece in pieces if isinstance(piece, str) and piece.strip())
        files = self._files(pieces, details)
        if not text and not files:
            return Node(key, follows)
        model = details.get("model_slug") if role == "assistant" else None
        model = model if isinstance(model, str) else None
        return Node(key, follows, role, text, message.get("create_time"), model, files)

    def _files(self, pieces: list[Any], details: Mapping[str, Any]) -> tuple[KeptFileRecord, ...]:
        """Return the files of a message: the pictures among its parts, and what was attached to it."""
        wanted: dict[str, str] = {}
        attached = details.get("attachments")
        for each in attached if isinstance(attached, list) else []:
            if isinstance(each, dict) and isinstance(each.get("id"), str):
                wanted[each["id"]] = each["name"] if isinstance(each.get("name"), str) else ""
        for piece in pieces:
            if isinstance(piece, dict) and (found := _POINTER.match(str(piece.get("asset_pointer")))):
                wanted.setdefault(found[1], "")
        self.missing += [LOST for id_ in wanted if id_ not in self._members]
        return tuple(self._record(id_, name) for id_, name in wanted.items() if id_ in self._members)

    def _record(self, id_: str, name: str) -> KeptFileRecord:
        member = self._members[id_]
        name = clean(name) or member.rpartition("/")[2]
        return KeptFileRecord(
            id=named_id("chatgpt", id_),
            name=name[:200],
            media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            size=0,
            url=member,
            digest="",
            created_at=timezone.now(),
            sealed="",
        )
